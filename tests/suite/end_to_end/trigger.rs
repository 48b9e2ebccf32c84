//! An application's own sign-up flow, watched: it mails through a real Postfix to a real Dovecot, or forgets to.

use serde_json::json;

use crate::support::alertmanager::{Folder, Receiver};
use crate::support::application::{Application, FROM, Mood, SECRET};
use crate::support::daemon::Daemon;
use crate::support::dovecot::{self, Dovecot};
use crate::support::postfix::Postfix;

struct Shop {
    dovecot: Dovecot,
    postfix: Postfix,
    application: Application,
}

impl Shop {
    async fn start() -> Self {
        let dovecot = Dovecot::run(&dovecot::Settings::default());
        let lmtp = format!("lmtp:inet:127.0.0.1:{}", dovecot.lmtp);
        let postfix = Postfix::builder()
            .virtual_transport(&lmtp)
            .setting("virtual_mailbox_domains = example.test")
            .setting("recipient_delimiter = +")
            .start();
        let application = Application::start(postfix.port()).await;
        Self { dovecot, postfix, application }
    }

    /// The application and a plain relay beside it; `form` and `plus` say where the token stands.
    fn configuration(&self, folder: &Folder, form: &str, plus: bool) -> String {
        let secret = |name: &str, text: &str| folder.write(name, text).display().to_string();
        let (password, key) = (secret("imap.password", dovecot::PASSWORD), secret("shop.key", SECRET));
        let (application, smtp, imap, user) = (self.application.address, self.postfix.port(), self.dovecot.imap, dovecot::USER);
        format!(
            "[watch]\nevery = \"1s\"\n\n[stream.sign-up]\n\n[provider.shop.http-trigger]\nfrom = \"{FROM}\"\nurl = \"http://{application}/signup\"\n\
            headers = {{ Authorization = {{ file = \"{key}\" }} }}\nform = {form}\nfailure_texts = [\"too many attempts\"]\n\
            mail_subject = \"Confirm*\"\nmail_text = \"please confirm your address\"\nmail_link_host = \"app.shop.example\"\n\n\
            [provider.relay.smtp]\nfrom = \"no-reply@shop.example\"\nhost = \"127.0.0.1\"\nport = {smtp}\ntls = \"none\"\n\n\
            [inbox.seed.imap]\naddress = \"{user}\"\nplus_address = {plus}\nhost = \"127.0.0.1\"\nport = {imap}\ntls = \"none\"\n\
            username = \"{user}\"\npassword = {{ file = \"{password}\" }}\n"
        )
    }
}

/// Probes the application's route; the exit code and what is printed.
async fn probe(daemon: &Daemon, timeout: &'static str) -> (Option<i32>, String) {
    let mut command = daemon.command("probe");
    command.args(["--route", "shop/*/*", "--timeout", timeout]);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(!text.contains("sesame"), "{text}");
    (output.status.code(), text)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_up_flow_is_probed_by_the_mail_that_it_sends() {
    let shop = Shop::start().await;
    // Nothing of the token is in the form but the address, and the mail shows no more of it than that.
    let daemon = Daemon::new(|folder| shop.configuration(folder, "{ email = \"{address}\", plan = \"free & easy\" }", true));
    let mut command = daemon.command("check");
    command.args(["--live", "--resolver", "127.0.0.1:9"]);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(shop.application.asked().is_empty(), "a check makes no mail");
    for (mood, code, words) in [
        (Mood::Well, 0, "1 of 1 canaries arrived"),
        (Mood::Redirecting, 0, "1 of 1 canaries arrived"),
        (Mood::Chatty, 0, "1 of 1 canaries arrived"),
        (Mood::Misconfigured, 1, "a mail came, but no link in it leads to `app.shop.example`, but to `help.example`, `localhost`"),
        (Mood::Silent, 1, "missing after"),
        (Mood::Cross, 1, "refused: rate"),
        (Mood::Busy, 1, "refused: rate"),
    ] {
        shop.application.set(mood);
        let (ended, text) = probe(&daemon, if code == 0 { "60s" } else { "10s" }).await;
        assert_eq!(ended, Some(code), "{mood:?}: {text}");
        assert!(text.contains(words), "{mood:?}: {text}");
    }
    let asked = shop.application.asked();
    assert_eq!(asked.len(), 7, "each canary asks once");
    for form in asked {
        assert!(form["email"].starts_with("seed+mc-") && form["email"].ends_with("@example.test"), "{form:?}");
        assert_eq!(form["plan"], "free & easy");
    }
    daemon.folder.write("shop.key", "Bearer sesame-of-another");
    let (ended, text) = probe(&daemon, "10s").await;
    assert_eq!(ended, Some(1), "{text}");
    assert!(text.contains("refused: auth") && text.contains("who are you?"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_application_that_forgets_its_mail_is_paged_for_by_name() {
    let shop = Shop::start().await;
    let mut hook = Receiver::start(&[]).await;
    let url = format!("http://{}/", hook.address);
    let mut daemon = Daemon::new(|folder| {
        let configuration = shop.configuration(folder, "{ email = \"{address}\", name = \"Canary {token}\" }", false);
        format!("{configuration}\n[sink.hook.webhook]\nurl = \"{url}\"\n")
    });
    daemon.start().await;
    daemon.wait_for_arrivals(40.0).await;
    let mine = "provider=\"shop\",stream=\"sign-up\",inbox=\"seed\"";
    let mismatched = format!("mailcanary_canaries_mismatched_total{{{mine}}}");
    assert_eq!(daemon.metric(&mismatched).await, Some(0.0));

    shop.application.set(Mood::Silent);
    let page = hook.next().await.json();
    assert_eq!(page["data"]["culprit"], json!({ "provider": "shop" }), "{page}");
    assert_eq!((&page["data"]["kind"], &page["data"]["severity"]), (&json!("stopped"), &json!("page")), "{page}");
    let next = page["data"]["evidence"]["next_step"].as_str().unwrap();
    assert!(next.starts_with("look into your application's log") && !next.contains("another provider"), "{page}");
    shop.application.set(Mood::Well);
    assert_eq!(hook.next().await.json()["type"], "incident.resolved");

    shop.application.set(Mood::Misconfigured);
    let page = hook.next().await.json();
    assert_eq!(page["data"]["culprit"], json!({ "provider": "shop" }), "{page}");
    let summary = page["data"]["summary"].as_str().unwrap();
    assert!(summary.contains("mail came, but no link in it leads to `app.shop.example`"), "{page}");
    assert!(page["data"]["evidence"]["mismatch"].as_str().unwrap().contains("`localhost`"), "{page}");
    assert!(page["data"]["evidence"]["next_step"].as_str().unwrap().contains("the application that sends it"), "{page}");
    assert!(daemon.metric(&mismatched).await.unwrap() >= 3.0);
    assert!(daemon.log().contains("not as expected"), "{}", daemon.log());
    let kept: u32 = daemon.ledger("SELECT count(*) FROM sightings WHERE kind = 'mismatched'");
    assert!(kept >= 3);
    assert_eq!(daemon.stop().await, Some(0));
    assert!(!daemon.log().contains("sesame"));
}
