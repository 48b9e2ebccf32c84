//! Inboxes of one's own: a Maildir into which a real Postfix delivers, and none at all, for mailcanary is the mail server.

use crate::support::daemon::Daemon;
use crate::support::free_port::free_port;
use crate::support::postfix::{DOMAIN, Postfix};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_maildir_and_our_own_mail_server_are_inboxes_as_any() {
    let port = free_port();
    let onward = format!("transport_maps = inline:{{ {{ mx@{DOMAIN} = smtp:[127.0.0.1]:{port} }} }}");
    let postfix = Postfix::builder().setting(&onward).setting("smtp_tls_security_level = may").start();
    let maildir = postfix.maildir().parent().unwrap().to_owned();
    let mut daemon = Daemon::new(|_| {
        format!(
            "[watch]\nevery = \"1s\"\n\n[stream.reset]\nsubject = \"Reset\"\n\n\
             [provider.relay.smtp]\nfrom = \"no-reply@sender.example\"\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\n\n\
             [inbox.files.maildir]\naddress = \"files@{DOMAIN}\"\npath = \"{}\"\n\n\
             [inbox.own.smtp]\naddress = \"mx@{DOMAIN}\"\nlisten = \"127.0.0.1:{port}\"\n",
            postfix.port(),
            maildir.display()
        )
    });
    for part in ["new", "cur", "tmp", "."] {
        std::fs::create_dir_all(maildir.join(part)).unwrap();
        std::os::unix::fs::chown(maildir.join(part), Some(65_534), None).unwrap();
    }
    let (code, said, wrong) = daemon.say(&["check"]);
    assert_eq!(code, Some(0), "{said}{wrong}");
    assert!(said.contains("inbox files (maildir, ") && said.contains("inbox own (smtp, listens on "), "{said}");
    daemon.start().await;
    for inbox in ["files", "own"] {
        let series =
            format!("mailcanary_canaries_arrived_total{{provider=\"relay\",stream=\"reset\",inbox=\"{inbox}\",placement=\"inbox\"}}");
        daemon.wait_for("arrivals", async |d| (d.metric(&series).await? >= 3.0).then_some(())).await;
    }
    // The port is handed over to the next configuration.
    daemon.rewrite(|text| text.replace("every = \"1s\"", "every = \"2s\""));
    daemon.signal("HUP");
    let before = daemon.sum("mailcanary_canaries_arrived_total").await.unwrap();
    daemon.wait_for_arrivals(before + 6.0).await;
    assert_eq!(daemon.sum("mailcanary_canaries_duplicate_total").await, Some(0.0));
    assert_eq!(daemon.metric("mailcanary_inbox_sight{inbox=\"own\"}").await, Some(1.0), "{}", daemon.log());
}
