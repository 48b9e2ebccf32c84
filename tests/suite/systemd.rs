//! The package and its units, held by systemd itself.

mod booted;

use std::path::{Path, PathBuf};
use std::process::Command;

fn units(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut units: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_file()).collect();
    units.sort();
    units
}

/// What may be said of exposure: `OK` begins at 2.5 of systemd's ten; these are wide of it.
const EXPOSURE: f64 = 1.5;

#[test]
fn the_services_are_locked_down() {
    let services: Vec<PathBuf> = units("systemd").into_iter().filter(|unit| unit.extension().is_some_and(|e| e == "service")).collect();
    assert_eq!(services.len(), 2);
    for unit in services {
        let output = Command::new("systemd-analyze").args(["security", "--offline=true", "--no-pager"]).arg(&unit).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let line = text.lines().find(|line| line.contains("Overall exposure level")).unwrap_or_else(|| panic!("{text}"));
        let level: f64 = line.rsplit_once(": ").unwrap().1.split_whitespace().next().unwrap().parse().unwrap();
        assert!(level <= EXPOSURE, "{line}");
    }
}

#[test]
fn systemd_understands_every_line_of_the_units() {
    let runtime = std::env::temp_dir().join(format!("mailcanary-verify-{}", std::process::id()));
    std::fs::create_dir_all(&runtime).unwrap();
    let of = |folder: &str, manager: &'static str| units(folder).into_iter().map(move |unit| (unit, manager));
    for (unit, manager) in of("systemd", "--system").chain(of("systemd/user", "--user")) {
        let mut verify = Command::new("systemd-analyze");
        // A user's manager has a folder of its session.
        let output = verify.args(["verify", manager, "--man=no"]).arg(&unit).env("XDG_RUNTIME_DIR", &runtime).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        // The binary is not installed on the host that tests.
        let of_ours = |line: &&str| line.contains("mailcanary") && !line.contains("/usr/bin/mailcanary is not executable");
        let complaints: Vec<&str> = said.lines().filter(of_ours).collect();
        assert!(complaints.is_empty(), "{}: {complaints:#?}", unit.display());
        assert!(!said.contains("Failed to"), "{}: {said}", unit.display());
    }
    std::fs::remove_dir_all(runtime).unwrap();
}

#[test]
fn the_template_is_the_service_for_several() {
    let text = |name: &str| std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd").join(name)).unwrap();
    let expected = text("mailcanary.service")
        .replace("watchdog\nDocumentation", "watchdog (instance %i)\nDocumentation")
        .replace("%E/mailcanary/mailcanary.toml", "%E/mailcanary/%i/mailcanary.toml")
        .replace("StateDirectory=mailcanary\n", "StateDirectory=mailcanary-%i\n")
        .replace("/etc/mailcanary/credentials", "/etc/mailcanary/%i/credentials");
    assert_eq!(text("mailcanary@.service"), expected);
}
