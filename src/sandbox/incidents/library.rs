//! The files of the library, each by its name.

/// Makes the list of the files under `tests/scenarios/incidents/`.
macro_rules! files {
    ($($name:literal),+ $(,)?) => {
        /// Every incident: its name, and its text.
        pub(super) const FILES: &[(&str, &str)] = &[
            $(($name, include_str!(concat!("../../../tests/scenarios/incidents/", $name, ".toml")))),+
        ];
    };
}

files![
    "accelo-2020",
    "brevo-2025",
    "digitalocean-2022",
    "fluid-attacks-2024",
    "gmail-2020",
    "hoa-express-2021",
    "mailgun-2013",
    "mailgun-2016",
    "mailgun-auth-2018",
    "mailgun-tls-2026",
    "mandrill-2019",
    "master-of-malt-2019",
    "microsoft-365-2025",
    "mit-2016",
    "openwhyd-2018",
    "postmark-db-2018",
    "postmark-ip-2013",
    "postmark-queue-2017",
    "postmark-tls-2024",
    "prospect365-2019",
    "purelymail-2026",
    "sendgrid-2022",
    "sendgrid-dkim-2024",
    "sendgrid-free-2025",
    "sendgrid-locked-2019",
    "ses-paused-2025",
    "spamhaus-2024",
    "third-party-filter-2024",
    "uceprotect-2021",
    "worldticket-2021",
];
