//! The same in German, Spanish and French: providers and the hosts behind a plain SMTP provider answer in the language of their account.
//!
//! Texts come in lower case and without accents, see [`fold`].

use super::Words;

/// `letter` without its accent.
pub(super) const fn fold(letter: char) -> char {
    match letter {
        'á' | 'à' | 'â' | 'ä' => 'a',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'í' | 'î' | 'ï' => 'i',
        'ó' | 'ô' | 'ö' => 'o',
        'ú' | 'ù' | 'û' | 'ü' => 'u',
        'ñ' => 'n',
        'ç' => 'c',
        '_' | '-' => ' ',
        '\u{2019}' => '\'',
        other => other,
    }
}

/// The account, or its right to send, is closed.
pub(super) fn suspended(words: &Words) -> bool {
    let whose = words.any(&["cuenta", "konto", "compte", "envio", "versand", "envoi", "zugang", "usuario", "benutzer", "utilisateur"])
        || words.word(&["acces", "acceso", "clave", "cle", "schlussel", "dominio", "domaine"]);
    let how = words.any(&[
        "suspendid",
        "suspendu",
        "gesperrt",
        "blockiert",
        "stillgelegt",
        "deaktiviert",
        "pausiert",
        "bloquead",
        "bloque",
        "inhabilitad",
        "deshabilitad",
        "desactivad",
        "desactive",
        "pausad",
        "en pause",
        "en revision",
        "uberpruft",
        "en cours de verification",
    ]);
    whose && how
}

/// The allowance of a day or a month, or what was paid for.
pub(super) fn used_up(words: &Words) -> bool {
    let period = words.any(&[
        "diari",
        "al dia",
        "por dia",
        "mensual",
        "al mes",
        "por mes",
        "taglich",
        "tageslimit",
        "tageskontingent",
        "pro tag",
        "monatlich",
        "monatslimit",
        "pro monat",
        "quotidien",
        "journalier",
        "par jour",
        "mensuel",
        "par mois",
    ]);
    let limit = words.any(&["limit", "cuota", "quota", "kontingent", "grenze", "maximo", "plafond", "obergrenze"]);
    let paid = words.any(&["creditos", "saldo", "guthaben", "solde", "zahlung", "paiement", "rechnung", "impagad"])
        || words.word(&["pago", "pagos", "factura", "facture"]);
    period && limit || paid
}

/// A limit of which nothing else is said.
pub(super) fn quota(words: &Words) -> bool {
    let limit = words.any(&["limite", "limit ", "grenze", "plafond", "maximo"]);
    let over = words.any(&[
        "alcanzad",
        "superad",
        "excedid",
        "atteint",
        "depass",
        "erreicht",
        "uberschritten",
        "ausgeschopft",
        "agotad",
        "epuise",
    ]);
    words.any(&["cuota", "kontingent"]) || limit && over
}

/// Too fast.
pub(super) fn rate(words: &Words) -> bool {
    words.any(&[
        "demasiadas solicitudes",
        "demasiados correos",
        "por segundo",
        "por minuto",
        "zu viele",
        "zu schnell",
        "pro sekunde",
        "pro minute",
        "trop de requetes",
        "trop de messages",
        "trop rapide",
        "par seconde",
        "par minute",
    ])
}

/// The recipient is none.
pub(super) fn recipient(words: &Words) -> bool {
    let whom = words.any(&["destinatario", "empfanger", "destinataire", "buzon", "postfach", "boite aux lettres"]);
    let how = words.any(&[
        "no existe",
        "no valid",
        "no es valid",
        "invalid",
        "desconocid",
        "existiert nicht",
        "unbekannt",
        "ungultig",
        "inconnu",
        "n'existe pas",
        "non valide",
        "pas valide",
    ]);
    whom && how
}

/// The sender may not be used.
pub(super) fn sender(words: &Words) -> bool {
    let whom = words.any(&["remitente", "dominio", "absender", "domain", "expediteur", "domaine"]);
    let how = words.any(&[
        "no verificad",
        "no esta verificad",
        "sin verificar",
        "no autorizad",
        "no confirmad",
        "nicht verifiziert",
        "nicht bestatigt",
        "nicht autorisiert",
        "nicht erlaubt",
        "non verifi",
        "pas verifi",
        "non autoris",
        "pas autoris",
    ]);
    whom && how
}

/// The key or password is not taken.
pub(super) fn auth(words: &Words) -> bool {
    words.any(&[
        "credenciales",
        "clave api",
        "clave de api",
        "no autorizad",
        "contrasena",
        "autenticacion",
        "zugangsdaten",
        "passwort",
        "authentifizierung",
        "nicht autorisiert",
        "api schlussel",
        "anmeldung fehl",
        "identifiants",
        "cle api",
        "cle d'api",
        "non autoris",
        "mot de passe",
        "authentification",
    ])
}

/// Blocked, whatever it is that is.
pub(super) fn blocked(words: &Words) -> bool {
    words.any(&["bloquead", "blockiert", "gesperrt", "est bloque", "ete bloque"])
}
