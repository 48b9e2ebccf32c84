//! The key's file.

use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};

use mailcanary::canary::Key;
use mailcanary::ledger::{KEY_FILE, KeyError};

use crate::support::temp_dir::TempDir;

#[test]
fn the_first_start_makes_a_key_and_later_ones_keep_it() {
    let folder = TempDir::new("key");
    let (key, created) = Key::load_or_create(folder.path()).unwrap();
    assert!(created);
    assert_eq!(Key::load_or_create(folder.path()).unwrap(), (key.clone(), false));
    let mode = std::fs::metadata(folder.path().join(KEY_FILE)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, [KEY_FILE], "no draft is left");
    let (other, _) = Key::load_or_create(TempDir::new("key").path()).unwrap();
    assert_ne!(key, other);
}

#[test]
fn a_damaged_key_is_an_error_and_stays_as_it_is() {
    for text in ["", "0123", "zz", &"0".repeat(63), &"0".repeat(65), &"0".repeat(4096), "\n\n"] {
        let folder = TempDir::new("key");
        let path = folder.path().join(KEY_FILE);
        std::fs::write(&path, text).unwrap();
        let error = Key::load_or_create(folder.path()).unwrap_err();
        assert!(matches!(error, KeyError::Damaged { .. }), "{error}");
        assert!(error.to_string().contains("canary.key` is no key"), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }
}

#[test]
fn a_key_that_cannot_be_read_is_an_error_and_not_a_new_key() {
    let folder = TempDir::new("key");
    std::fs::create_dir(folder.path().join(KEY_FILE)).unwrap();
    let error = Key::load_or_create(folder.path()).unwrap_err();
    assert!(matches!(error, KeyError::Read { .. }), "{error}");
    let error = Key::load_or_create(&folder.path().join("missing")).unwrap_err();
    assert!(matches!(error, KeyError::Write { .. }), "{error}");
}

#[test]
fn a_key_that_is_left_for_the_daemon_is_its_own() {
    let parent = TempDir::new("key");
    let folder = parent.path().join("not/yet");
    let (key, made) = Key::load_or_leave(&folder).unwrap();
    assert!(made && folder.metadata().unwrap().permissions().mode() & 0o777 == 0o700);
    assert_eq!(Key::load_or_create(&folder).unwrap(), (key.clone(), false));
    assert_eq!(Key::load_or_leave(&folder).unwrap(), (key, false));
    // Root leaves it for whose the folder is, and follows no link that lies there.
    let folder = parent.path().join("nobodys");
    std::fs::create_dir(&folder).unwrap();
    chown(&folder, Some(65534), Some(65534)).unwrap();
    let elsewhere = parent.path().join("elsewhere");
    std::fs::write(&elsewhere, "root's").unwrap();
    symlink(&elsewhere, folder.join(format!(".{KEY_FILE}.{}", std::process::id()))).unwrap();
    Key::load_or_leave(&folder).unwrap();
    assert_eq!((std::fs::read_to_string(&elsewhere).unwrap().as_str(), elsewhere.metadata().unwrap().uid()), ("root's", 0));
    let file = folder.join(KEY_FILE).metadata().unwrap();
    assert_eq!((file.uid(), file.gid(), file.mode() & 0o777), (65534, 65534, 0o600));
}
