//! Writing the bundle: a folder of its owner alone, and no file of others overwritten unless that is said.

use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Why the bundle is not there.
#[derive(Debug, thiserror::Error)]
pub(super) enum FolderError {
    /// Something is there.
    #[error("`{}` is there already: name another folder with --out, or write into it with --force", .0.display())]
    There(PathBuf),
    /// The folder cannot be made.
    #[error("making the folder `{}`", .0.display())]
    Folder(PathBuf, #[source] io::Error),
    /// A file cannot be written.
    #[error("writing `{}`", .0.display())]
    File(PathBuf, #[source] io::Error),
}

/// Writes `files` by name into `folder`, which is made. With `force` it may be there, and files of these names are replaced.
pub(super) fn write(folder: &Path, files: &[(&str, String)], force: bool) -> Result<(), FolderError> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists && force && folder.is_dir() => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(FolderError::There(folder.to_owned())),
        Err(error) => return Err(FolderError::Folder(folder.to_owned(), error)),
    }
    for (name, text) in files {
        let path = folder.join(name);
        put(&path, text).map_err(|error| FolderError::File(path, error))?;
    }
    Ok(())
}

/// Written beside and put in place, so that there is a whole file or none, and no link is followed.
fn put(path: &Path, text: &str) -> io::Result<()> {
    let beside = path.with_extension("new");
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_data()?;
    fs::rename(&beside, path)
}
