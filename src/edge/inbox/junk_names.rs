//! What junk folders are called where no attribute marks them.

/// Names seen in the wild, in lower case. Servers and clients make the folder in the language of whoever opened the mailbox first.
const NAMES: [&str; 63] = [
    "junk",
    "junk mail",
    "junk e-mail",
    "junk email",
    "junk-e-mail",
    "junk-email",
    "spam",
    "spam mail",
    "bulk",
    "bulk mail",
    "spamverdacht",
    "unerwünscht",
    "courrier indésirable",
    "indésirables",
    "pourriel",
    "correo no deseado",
    "correo basura",
    "no deseado",
    "posta indesiderata",
    "lixo eletrônico",
    "lixo electrónico",
    "correo lixo",
    "correu brossa",
    "ongewenst",
    "ongewenste e-mail",
    "skräppost",
    "søppelpost",
    "uønsket e-post",
    "uønsket mail",
    "roskaposti",
    "rämpspost",
    "niechciane",
    "wiadomości-śmieci",
    "nevyžádaná pošta",
    "nevyžiadaná pošta",
    "levélszemét",
    "neželena pošta",
    "nepoželjna pošta",
    "nesolicitate",
    "mesaje nedorite",
    "istenmeyen",
    "gereksiz",
    "gereksiz e-posta",
    "önemsiz",
    "önemsiz e-posta",
    "ανεπιθύμητη αλληλογραφία",
    "спам",
    "нежелательная почта",
    "небажана пошта",
    "нежелана поща",
    "迷惑メール",
    "垃圾邮件",
    "垃圾郵件",
    "垃圾箱",
    "스팸",
    "스팸 편지함",
    "정크 메일",
    "דואר זבל",
    "الرسائل غير المرغوب فيها",
    "البريد غير الهام",
    "هرزنامه",
    "สแปม",
    "thư rác",
];

/// Whether `name`, the last part of a folder's path, is what somebody somewhere calls a junk folder.
pub(super) fn is_junk(name: &str) -> bool {
    let folded = name.trim().to_lowercase();
    NAMES.contains(&folded.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_folded_and_unlike_names_are_not_junk() {
        for name in NAMES {
            assert_eq!(name, name.to_lowercase(), "kept in lower case");
            assert!(is_junk(&name.to_uppercase()), "{name}");
        }
        for name in ["INBOX", "Junkyard", "Not Spam", "Sent", "Anti-Spam", ""] {
            assert!(!is_junk(name), "{name}");
        }
    }
}
