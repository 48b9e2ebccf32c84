//! Commands in the middle of sentences and in tables: each is run as by somebody who has read it, in every form that it is given in.

use super::*;

/// What comes before a command's name where it is run by another program.
const NAME: &str = "mailcanary ";
/// Commands by their first word: those that need no daemon, those that are tried while all is well, and those that want an open incident.
const PHASES: [&[&str]; 3] = [
    &["run", "demo", "simulate", "print", "step"],
    &["backtest", "check", "dns", "drill", "health", "identity", "probe", "reload", "top"],
    &["incident", "silence"],
];
/// What is meant where only a command is named, or some of several.
const WHOLE: [(&str, &str); 14] = [
    ("simulate", "simulate SCENARIO"),
    ("drill", "drill provider NAME --as stopped"),
    ("incident show", "incident show ID"),
    ("incident ack", "incident ack ID"),
    ("incident close", "incident close ID"),
    ("incident evidence", "incident evidence ID"),
    ("silence add", "silence add --all --for 1h --reason 'a move'"),
    ("silence end", "silence end 1"),
    ("identity approve", "identity approve mailchimp password-reset reply_to help@example.com"),
    ("identity forget", "identity forget mailchimp password-reset reply_to help@example.com"),
    ("identity relearn", "identity relearn mailchimp password-reset"),
    ("dns approve", "dns approve spf example.com"),
    ("top", "top --once"),
    ("top --url ADDRESS", "top --url ADDRESS --once"),
];
/// What a daemon whose mail is as it always was says no to, and how.
const REFUSED: [(&str, &str); 2] =
    [("dns approve spf example.com", "`spf example.com` is not watched"), ("identity approve --incident", "there is no such incident")];

/// A command as it stands behind its name, and where it stands.
fn spoken() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for name in names() {
        let prose = prose(&text(&name)).replace('\n', " ");
        for code in prose.split('`').skip(1).step_by(2) {
            let at = if code.starts_with(NAME) { Some(0) } else { code.rfind(&format!(" {NAME}")).map(|at| at + 1) };
            let command = at.map(|at| &code[at + NAME.len()..]).filter(|command| command.starts_with(|c: char| c.is_ascii_lowercase()));
            found.extend(command.map(|command| (name.clone(), command.to_owned())));
        }
    }
    found
}

/// The forms that a line of a table stands for: without what may be left out, with each of it alone, and each of several words.
fn forms(command: &str) -> BTreeSet<String> {
    let parts: Vec<&str> = command.split(['[', ']']).collect();
    let with = |chosen: Option<usize>| -> String {
        let kept = parts.iter().enumerate().filter(|(n, _)| n % 2 == 0 || Some(*n) == chosen);
        kept.map(|(_, part)| part.trim()).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    };
    let optional = (0..parts.len()).filter(|n| n % 2 == 1).map(Some);
    let mut forms: Vec<String> = std::iter::once(None).chain(optional).map(with).collect();
    while let Some(at) = forms.iter().position(|form| form.contains("\\|")) {
        let form = forms.swap_remove(at);
        let several = form.split(' ').find(|word| word.contains("\\|")).unwrap();
        forms.extend(several.split("\\|").map(|one| form.replacen(several, one, 1)));
    }
    forms.into_iter().map(|form| whole(&form)).collect()
}

/// A form with all that it wants.
fn whole(form: &str) -> String {
    let form = with_file(form);
    let (command, of) = form.split_once(" -c FILE").map_or((form.as_str(), true), |(command, rest)| (command, rest.is_empty()));
    let meant = WHOLE.iter().find(|(mentioned, _)| of && *mentioned == command);
    meant.map_or(form.clone(), |(_, meant)| with_file(meant))
}

/// A form that names a configuration, where its command has one.
fn with_file(form: &str) -> String {
    let bare = ["demo", "simulate", "print"].iter().any(|word| form.starts_with(word)) || form.contains("--url") || form.contains(" -c ");
    if bare { form.to_owned() } else { format!("{form} -c FILE") }
}

/// With what a reader would put in.
fn put_in(form: &str, desk: &Desk, incident: u64) -> String {
    let config = desk.folder.join("mailcanary.toml");
    let here = desk.folder.join("out");
    let list = [
        ("--inbox NAME", "--inbox gmail-1".to_owned()),
        ("*/*/NAME", "*/*/gmail-1".to_owned()),
        ("NAME", "mailchimp".to_owned()),
        ("PROVIDER", "relay".to_owned()),
        ("GLOB", "'relay/*'".to_owned()),
        ("SCENARIO", "tests/scenarios/stop_provider.toml".to_owned()),
        ("FILE", config.display().to_string()),
        ("DIR", here.display().to_string()),
        ("ADDRESS", format!("http://127.0.0.1:{}/", desk.port)),
        (" ID", format!(" {incident}")),
        ("--incident 7", format!("--incident {incident}")),
    ];
    let form = list.iter().fold(form.to_owned(), |form, (from, to)| form.replace(from, to));
    let begins = |word: &str| form.starts_with(word);
    match () {
        // What never ends is let be once it answers.
        () if begins("run ") => {
            let config = form.trim_start_matches("run ");
            format!("mailcanary {form} &\nuntil mailcanary health {config}; do sleep 0.1; done\nkill $!\nwait $!")
        }
        () if begins("demo") && !form.contains("--incident") => format!(
            "rm -f said\nmailcanary {form} > said &\nuntil grep -qs http: said; do sleep 0.1; done\ncurl -sS $(grep -o -m1 'http:[^ ]*/' said) > page\ngrep -q '<h1' page\nkill $!"
        ),
        // While one goes on.
        () if begins("drill stop") => format!(
            "mailcanary drill provider relay --as stopped -c {} &\nuntil mailcanary {form}; do sleep 0.1; done\nwait $! || true",
            config.display()
        ),
        () if begins("step ") => format!("echo '{{\"at\": 0, \"event\": {{\"started\": {{\"seed\": 7}}}}}}' | mailcanary {form}"),
        () => format!("mailcanary {form}"),
    }
}

/// Every form, once, and a document that it stands in.
fn all() -> BTreeMap<String, String> {
    let found = spoken();
    assert!(found.len() > 90, "{found:#?}");
    found.into_iter().flat_map(|(document, command)| forms(&command).into_iter().map(move |form| (form, document.clone()))).collect()
}

/// Those of a phase; what comes to the same when all is put in, once.
fn of_phase(phase: usize, desk: &Desk) -> Vec<(String, String)> {
    let begins = |form: &str| PHASES[phase].iter().any(|word| form.split(' ').next() == Some(word));
    let mut mine: Vec<(String, String)> = all().into_iter().filter(|(form, _)| begins(form)).collect();
    mine.dedup_by_key(|(form, _)| put_in(form, desk, 0));
    assert!(mine.len() > 15, "{mine:?}");
    mine
}

/// Runs it; what went wrong. What is refused says why.
fn tried(desk: &Desk, document: &str, form: &str, incident: u64) -> Option<String> {
    let said = desk.run(document, &put_in(form, desk, incident), incident);
    match REFUSED.iter().find(|(begins, _)| form.starts_with(begins)) {
        Some((_, why)) => match said {
            Some(said) if said.contains(why) => None,
            other => Some(format!("{document}: {form} does not say `{why}`: {other:?}")),
        },
        None => said,
    }
}

#[test]
fn every_form_of_a_command_is_one_that_is_run() {
    let phases: Vec<&str> = PHASES.concat();
    let wrong: Vec<_> = all().into_iter().filter(|(form, _)| !phases.contains(&form.split(' ').next().unwrap())).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let of = |line: &str| forms(line).into_iter().collect::<Vec<_>>();
    assert_eq!(
        of("probe -c FILE [--output a\\|b] [--own-key]"),
        ["probe -c FILE", "probe -c FILE --output a", "probe -c FILE --output b", "probe -c FILE --own-key"]
    );
    assert_eq!(of("incident list\\|ack -c FILE"), ["incident ack ID -c FILE", "incident list -c FILE"]);
    assert_eq!(of("drill"), ["drill provider NAME --as stopped -c FILE"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_in_sentences_run_without_a_daemon() {
    let (world, hook) = (world(), Receiver::start(&[]).await);
    let daemon = daemon(&world, &hook);
    let desk = Desk::new(&daemon);
    let wrong: Vec<String> = of_phase(0, &desk).iter().filter_map(|(form, document)| tried(&desk, document, form, 0)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_in_sentences_run_while_all_is_well() {
    let (world, hook) = (world(), Receiver::start(&[]).await);
    let mut daemon = daemon(&world, &hook);
    let desk = Desk::new(&daemon);
    daemon.start().await;
    daemon.wait_for_arrivals(60.0).await;
    let wrong: Vec<String> = of_phase(1, &desk).iter().filter_map(|(form, document)| tried(&desk, document, form, 0)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_in_sentences_run_in_an_outage() {
    let (world, hook) = (world(), Receiver::start(&[]).await);
    let mut daemon = daemon(&world, &hook);
    let desk = Desk::new(&daemon);
    daemon.start().await;
    daemon.wait_for_arrivals(60.0).await;
    world.provider("mailchimp").unwrap().set(Fault::Hold).unwrap();
    let mut wrong = Vec::new();
    for (form, document) in &of_phase(2, &desk) {
        let incident = stopped(&mut daemon).await;
        wrong.extend(tried(&desk, document, form, incident));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
