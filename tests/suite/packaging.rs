//! What the program is wrapped in: manual pages, completions, the image, the list of what it is built of.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use crate::support::alertmanager::Folder;
use crate::support::tmux::Terminal;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn printed(words: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_mailcanary")).arg("print").args(words).output().unwrap();
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_command_has_a_manual_page() {
    let folder = Folder::new("man");
    printed(&["man", "--to", folder.path().to_str().unwrap()]);
    for page in ["mailcanary", "mailcanary-run", "mailcanary-reload", "mailcanary-incident-ack"] {
        let text = std::fs::read_to_string(folder.path().join(format!("{page}.1"))).unwrap();
        assert!(text.contains(&format!(".TH {page} 1")), "{page}: {text}");
    }
    let page = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    let first = page("mailcanary.1");
    assert_eq!(first, printed(&["man"]));
    for part in ["\n.SH EXAMPLES\n.PP\n.nf\n", "\n.SH FILES\n", "\n.SH ENVIRONMENT\n", "NO_COLOR", "MAILCANARY_LOG", "\n.SH \"SEE ALSO\"\n"]
    {
        assert!(first.contains(part), "{part} is not in\n{first}");
    }
    // Each example is a line of its own, as a reader would type it.
    let examples = page("mailcanary-probe.1");
    let lines = examples.split_once(".nf\n").unwrap().1.split_once("\n.fi").unwrap().0;
    assert_eq!(lines.lines().count(), 2, "{lines}");
    assert!(examples.contains(".SH \"EXIT STATUS\"\nExit codes: 0 all arrived") && !examples.contains("EXTRA"), "{examples}");
    let output = Command::new(env!("CARGO_BIN_EXE_mailcanary")).args(["print", "schema", "--to", "/tmp"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "only pages are written to a folder");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_shell_completes_commands_options_and_their_values() {
    let folder = Folder::new("completions");
    for (shell, file) in [("bash", "mailcanary"), ("zsh", "_mailcanary"), ("fish", "mailcanary.fish")] {
        folder.write(file, &printed(&[&format!("completions-{shell}")]));
    }
    let at = folder.path().display();
    let shells = [
        ("bash --norc --noprofile".to_owned(), format!("source {at}/mailcanary")),
        ("zsh -f".to_owned(), format!("fpath=({at} $fpath); autoload -Uz compinit; compinit -u -D")),
        ("fish --no-config".to_owned(), format!("source {at}/mailcanary.fish")),
    ];
    for (shell, load) in shells {
        let terminal = Terminal::new(120, 40, &[]);
        terminal.line(&shell);
        terminal.line(&format!("{load}; echo loaded | tr a-z A-Z"));
        terminal.wait_for("the shell", |screen| screen.contains("LOADED")).await;
        for (typed, completed) in [
            ("relo", "reload"),
            ("incident evid", "incident evidence"),
            ("probe --rou", "probe --route"),
            ("probe --output nag", "probe --output nagios"),
        ] {
            terminal.text(&format!("mailcanary {typed}"));
            terminal.key("Tab");
            // The last key tells what was typed from what a shell only suggests.
            terminal.text("#");
            let wanted = [" #", "#", "=#"].map(|end| format!("mailcanary {completed}{end}"));
            terminal.wait_for(&format!("{shell}: {typed}"), |screen| wanted.iter().any(|line| screen.contains(line))).await;
            terminal.key("C-u");
            terminal.line("clear");
        }
    }
}

/// What the image's file says, by instruction; continued lines joined.
fn dockerfile() -> Vec<(String, String)> {
    let text = std::fs::read_to_string(root().join("packaging/Dockerfile")).unwrap().replace("\\\n", " ");
    let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    lines.map(|line| line.split_once(' ').map(|(a, b)| (a.to_owned(), b.trim().to_owned())).unwrap()).collect()
}

#[test]
fn the_image_runs_as_nobody_without_a_shell_and_says_how_it_is() {
    let all = dockerfile();
    let stages: Vec<usize> = all.iter().enumerate().filter(|(_, (word, _))| word == "FROM").map(|(at, _)| at).collect();
    let last = &all[*stages.last().unwrap()..];
    assert!(last[0].1.starts_with("gcr.io/distroless/") && last[0].1.ends_with(":nonroot"), "{:?}", last[0]);
    assert!(all.iter().filter(|(word, _)| word == "FROM").all(|(_, image)| image.contains(':') && !image.contains(":latest")));
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let rust = manifest.lines().find_map(|line| line.strip_prefix("rust-version = ")).unwrap().trim_matches('"');
    assert!(all[0].1.starts_with(&format!("rust:{rust}")), "the toolchain of Cargo.toml: {:?}", all[0]);
    let one = |word: &str| last.iter().find(|(w, _)| w == word).map(|(_, rest)| rest.clone()).unwrap_or_else(|| panic!("no {word}"));
    assert_eq!(one("USER"), "65532:65532");
    assert!(!last.iter().any(|(word, _)| word == "RUN"), "there is no shell in the last stage");
    // Without a shell every command is a list; and each is one that the program has.
    let list = |text: &str| serde_json::from_str::<Vec<String>>(text).unwrap_or_else(|e| panic!("{text}: {e}"));
    let health = list(one("HEALTHCHECK").rsplit_once("CMD ").unwrap().1);
    let run: Vec<String> = list(&one("ENTRYPOINT")).into_iter().chain(list(&one("CMD"))).collect();
    for command in [health, run] {
        assert_eq!((command[0].as_str(), command[2].as_str()), ("/usr/bin/mailcanary", "-c"), "{command:?}");
        let help = Command::new(env!("CARGO_BIN_EXE_mailcanary")).args([&command[1], "--help"]).output().unwrap();
        assert!(help.status.success() && String::from_utf8_lossy(&help.stdout).contains("--config"), "{command:?}");
    }
    for (_, sources) in all.iter().filter(|(word, rest)| word == "COPY" && !rest.starts_with("--from")) {
        let words: Vec<&str> = sources.split_whitespace().collect();
        for source in &words[..words.len() - 1] {
            assert!(root().join(source).exists(), "COPY {source}");
        }
    }
}

#[test]
fn a_static_binary_is_built_or_it_is_said_what_is_missing() {
    let output = Command::new(root().join("packaging/static.sh")).args(["/tmp", "none-unknown-linux-musl"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{said}");
    assert!(
        said.contains("the standard library of none-unknown-linux-musl is not here") && said.contains("hint: rustup target add"),
        "{said}"
    );
}

/// With a toolchain that has the target's library, and a host without a compiler for it.
#[test]
fn a_static_binary_wants_a_compiler_and_says_which() {
    let folder = Folder::new("static");
    let library = folder.path().join("lib/rustlib/x86_64-unknown-linux-musl/lib");
    std::fs::create_dir_all(library).unwrap();
    let mut script = Command::new("bash");
    script.arg(root().join("packaging/static.sh")).arg(folder.path());
    // Of the programs only those that the script begins with.
    let rustc = format!("#!/bin/sh\necho {}\n", folder.path().display());
    std::fs::write(folder.path().join("rustc"), rustc).unwrap();
    std::fs::set_permissions(folder.path().join("rustc"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    for program in ["realpath", "dirname", "bash"] {
        let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output().unwrap();
        let found = String::from_utf8(found.stdout).unwrap();
        std::os::unix::fs::symlink(found.trim(), folder.path().join(program)).unwrap();
    }
    let output = script.env("PATH", folder.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{said}");
    assert!(said.contains("no C compiler for x86_64-unknown-linux-musl") && said.contains("hint: apt-get install musl-tools"), "{said}");
}

/// What the package puts where, and what stands in what it is built of.
#[test]
fn the_package_has_units_pages_completions_examples_and_its_bill() {
    let folder = Folder::new("contents");
    let mut build = Command::new(root().join("packaging/deb.sh"));
    let built = build.arg(env!("CARGO_BIN_EXE_mailcanary")).arg(folder.path()).env("DEB_COMPRESSION", "gz").output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let deb = String::from_utf8(built.stdout).unwrap().trim().to_owned();
    let tree = folder.path().join("tree");
    let unpacked = Command::new("dpkg-deb").args(["--raw-extract", &deb]).arg(&tree).status().unwrap();
    assert!(unpacked.success());
    let all = ["mailcanary.service", "mailcanary@.service", "mailcanary.socket"].map(|unit| format!("lib/systemd/system/{unit}"));
    let shells =
        ["bash-completion/completions/mailcanary", "zsh/vendor-completions/_mailcanary", "fish/vendor_completions.d/mailcanary.fish"];
    let docs = [
        "examples/mailcanary.toml",
        "examples/starter.toml",
        "docs/operating.md",
        "dashboards/rules/mailcanary.yml",
        "README.md",
        "changelog.gz",
    ];
    let shares = shells.into_iter().map(str::to_owned).chain(docs.map(|file| format!("doc/mailcanary/{file}")));
    let files = all.into_iter().chain(shares.map(|file| format!("usr/share/{file}")));
    for file in files.chain(["usr/bin/mailcanary".to_owned(), "usr/lib/systemd/user/mailcanary.service".to_owned()]) {
        assert!(tree.join(&file).metadata().is_ok_and(|meta| meta.len() > 0), "{file}");
    }
    // A page for each command, as many as there are.
    let pages = std::fs::read_dir(tree.join("usr/share/man/man1")).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    let pages: BTreeSet<String> = pages.map(|page| page.trim_end_matches(".gz").to_owned()).collect();
    printed(&["man", "--to", folder.path().join("man").to_str().unwrap()]);
    let made = std::fs::read_dir(folder.path().join("man")).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    assert_eq!(pages, made.collect());
    let bill = Command::new("gzip").arg("-dc").arg(tree.join("usr/share/doc/mailcanary/mailcanary.cdx.json.gz")).output().unwrap();
    let bill: serde_json::Value = serde_json::from_slice(&bill.stdout).unwrap();
    assert_eq!(bill["metadata"]["component"]["name"], "mailcanary");
    // The folder of secrets is root's alone, made where the package is installed.
    let script = std::fs::read_to_string(tree.join("DEBIAN/postinst")).unwrap();
    assert!(script.contains("/etc/mailcanary/credentials") && script.contains("700"), "{script}");
    // What operators write is none of the package's files: an upgrade finds it as it was.
    assert!(!tree.join("etc").exists());
}

#[test]
fn the_bill_of_materials_names_what_is_linked_and_nothing_of_the_tests() {
    let output = Command::new(root().join("packaging/sbom.sh")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let bill: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&bill["bomFormat"], &bill["specVersion"]), (&"CycloneDX".into(), &"1.5".into()));
    assert_eq!(bill["metadata"]["component"]["name"], "mailcanary");
    let components = bill["components"].as_array().unwrap();
    let names: BTreeSet<&str> = components.iter().map(|c| c["name"].as_str().unwrap()).collect();
    assert!(["tokio", "rustls", "libsqlite3-sys", "ring"].iter().all(|name| names.contains(name)), "{names:?}");
    assert!(!names.contains("roxmltree") && !names.contains("mailcanary"), "{names:?}");
    assert!(components.iter().all(|c| c["licenses"][0]["expression"].is_string()), "each has its licence");
    let refs: BTreeSet<&str> = components.iter().map(|c| c["bom-ref"].as_str().unwrap()).collect();
    let needed = bill["dependencies"].as_array().unwrap().iter().flat_map(|d| d["dependsOn"].as_array().unwrap());
    assert!(needed.into_iter().all(|to| refs.contains(to.as_str().unwrap())), "no edge leads nowhere");
}
