//! The sentences that canaries are made of, by the kind of mail that a stream is.

/// What kind of transactional mail a stream's name speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Topic {
    Reset,
    SignUp,
    Alert,
    Receipt,
    LoginCode,
    Other,
}

/// The sentences of a topic. Each list is one choice; all are of one length, so that every choice carries as much.
#[derive(Debug)]
pub(super) struct Wording {
    /// What this is about.
    pub(super) opening: [&'static str; 6],
    /// What stands before the link.
    pub(super) action: [&'static str; 6],
    /// The words of the link.
    pub(super) button: [&'static str; 6],
    /// How long, or how it goes on.
    pub(super) term: [&'static str; 6],
    /// What to do if it was not you.
    pub(super) otherwise: [&'static str; 6],
    /// Where the link points to, on the sender's domain.
    pub(super) path: &'static str,
}

impl Topic {
    /// By words in the stream's name; the first that fits.
    pub(super) fn of(stream: &str) -> Self {
        let words: [(Self, &[&str]); 5] = [
            (Self::Reset, &["reset", "password", "recover", "forgot"]),
            (Self::LoginCode, &["login", "log-in", "code", "otp", "2fa", "mfa", "magic", "signin", "sign-in"]),
            (Self::SignUp, &["sign-up", "signup", "confirm", "welcome", "verif", "activat", "regist", "invit", "onboard"]),
            (Self::Alert, &["alert", "alarm", "incident", "monitor", "warn", "notif", "status"]),
            (Self::Receipt, &["receipt", "invoice", "order", "payment", "billing", "purchase", "ship"]),
        ];
        words.into_iter().find(|(_, signs)| signs.iter().any(|sign| stream.contains(sign))).map_or(Self::Other, |(topic, _)| topic)
    }

    pub(super) const fn wording(self) -> &'static Wording {
        match self {
            Self::Reset => &RESET,
            Self::SignUp => &SIGN_UP,
            Self::Alert => &ALERT,
            Self::Receipt => &RECEIPT,
            Self::LoginCode => &LOGIN_CODE,
            Self::Other => &OTHER,
        }
    }
}

pub(super) const GREETINGS: [&str; 6] = ["Hello,", "Hi,", "Hi there,", "Good day,", "Dear customer,", "Hello again,"];

pub(super) const CLOSINGS: [&str; 6] =
    ["Kind regards,", "Best wishes,", "Thank you,", "Yours,", "With best regards,", "Thanks, and have a good day,"];

pub(super) const SENDERS: [&str; 6] =
    ["The team", "Your support team", "Customer care", "The accounts team", "Everyone here", "Member services"];

/// Said to the person who finds a canary in a mailbox and wonders.
pub(super) const FOOTERS: [&str; 6] = [
    "This is an automated test message. It checks that our mail arrives; nothing needs to be done.",
    "You are reading an automated test message, sent to measure whether and when our mail is delivered.",
    "Automated test message: it was sent by a monitor that watches the delivery of our mail, and can be deleted.",
    "No person asked for this mail. It is an automated test message that tells us if our mail gets through.",
    "Our delivery monitor wrote this. As an automated test message it asks nothing of you.",
    "This mail belongs to a delivery check and is an automated test message. Please feel free to ignore it.",
];

pub(super) const DEVICES: [&str; 6] =
    ["Firefox on Linux", "Safari on an iPhone", "Chrome on Windows", "Edge on Windows", "Chrome on Android", "Safari on a Mac"];

pub(super) const DETAILS: [&str; 6] = [
    "We received this from {device}, number {number}.",
    "Number {number}, from {device}.",
    "For your records: {device}, reference {number}.",
    "The reference is {number}; it came from {device}.",
    "It was made with {device} and has the number {number}.",
    "Should you need to ask us about it, give the number {number} ({device}).",
];

static RESET: Wording = Wording {
    opening: [
        "We received a request to reset the password of your account.",
        "Somebody, hopefully you, asked for a new password.",
        "You told us that you forgot your password. That happens to all of us.",
        "A new password was requested for your account.",
        "It looks as if you need a new password.",
        "Here is what you need to get back into your account.",
    ],
    action: [
        "Follow this link to choose a new one:",
        "To set a new password, open this page:",
        "You can pick another password here:",
        "Please continue on this page:",
        "One click, and you can enter a new one:",
        "The page for it is this one:",
    ],
    button: ["Reset password", "Choose a new password", "Set my password", "Continue", "New password", "Change it now"],
    term: [
        "The link works for fifteen minutes.",
        "For your safety it expires a quarter of an hour from now.",
        "It can be used once, within the next fifteen minutes.",
        "After fifteen minutes you would have to ask again.",
        "Please use it soon, since it will not be valid for long.",
        "It is valid for a short while only.",
    ],
    otherwise: [
        "If this was not you, nothing has changed and you can ignore this mail.",
        "You did not ask? Then keep your old password and forget about this message.",
        "Did somebody else do this? Your password is still the same.",
        "Without a click your password stays as it is.",
        "If you remember the old one after all, simply go on using it.",
        "Should you not have asked for it, no further step is needed.",
    ],
    path: "account/password",
};

static SIGN_UP: Wording = Wording {
    opening: [
        "Welcome, and thank you for signing up.",
        "Your new account is nearly ready.",
        "It is good to have you with us.",
        "Thank you for creating an account.",
        "Only one step is left before you can begin.",
        "We have set up an account for this address.",
    ],
    action: [
        "Please confirm your address here:",
        "Let us know that this address is yours:",
        "To finish, open this link:",
        "Activate your account on this page:",
        "Confirm with one click:",
        "The last step waits here:",
    ],
    button: ["Confirm address", "Activate account", "Yes, this is me", "Finish signing up", "Verify", "Get started"],
    term: [
        "The link is valid for one day.",
        "Please do so within twenty-four hours.",
        "Until tomorrow this link will work.",
        "We keep your details for a day while we wait.",
        "It stops working tomorrow.",
        "You have a day for it.",
    ],
    otherwise: [
        "If you did not sign up, you can ignore this mail and the account will be removed.",
        "Was it somebody else? Then do nothing, and we will delete the address.",
        "An address that nobody confirms is forgotten.",
        "You never heard of us? Somebody must have mistyped their address; sorry about that.",
        "Without your confirmation nothing will be sent to you again.",
        "If this is a mistake, no action is needed.",
    ],
    path: "account/confirm",
};

static ALERT: Wording = Wording {
    opening: [
        "One of your checks has changed its state.",
        "This is to let you know of something that we noticed.",
        "A limit that you set has been crossed.",
        "We saw unusual values on one of your resources.",
        "An alert that you asked for has fired.",
        "There is news about a resource that you watch.",
    ],
    action: [
        "The details are on this page:",
        "See the graphs and the history here:",
        "Look at the current values:",
        "You can acknowledge it here:",
        "More about it on your dashboard:",
        "Open the alert to learn more:",
    ],
    button: ["Open alert", "See details", "View dashboard", "Acknowledge", "Show history", "Look at it now"],
    term: [
        "We will write again when it is over.",
        "You will hear from us once the values are back to normal.",
        "It is checked again every minute.",
        "No second message follows unless something changes.",
        "The state is kept on the page for a month.",
        "A note will follow when it clears.",
    ],
    otherwise: [
        "You can change who gets these messages in your settings.",
        "If you do not want these alerts, switch them off in your settings.",
        "Limits and recipients are yours to set.",
        "Your settings say how often we may write.",
        "Somebody on your team may be on it already.",
        "To mute this check for a while, use the button on its page.",
    ],
    path: "alerts",
};

static RECEIPT: Wording = Wording {
    opening: [
        "Thank you for your order.",
        "We have received your payment.",
        "Here is the receipt that you asked for.",
        "Your order is being prepared.",
        "This confirms your purchase.",
        "Your invoice is ready.",
    ],
    action: [
        "You find it on this page:",
        "See or print it here:",
        "All the details are in your account:",
        "Download the document:",
        "Follow your order here:",
        "Have a look at the summary:",
    ],
    button: ["View receipt", "Open invoice", "See my order", "Download", "Order details", "Show summary"],
    term: [
        "Please keep it for your records.",
        "It stays in your account for ten years.",
        "We will write again when it has been sent.",
        "You need not do anything else.",
        "The next one comes when there is something to bill.",
        "It will be there whenever you need it.",
    ],
    otherwise: [
        "If something is not right, please reply within fourteen days.",
        "Questions about it? Our support is there to help.",
        "You can change your billing address in your settings.",
        "Should you not recognise it, please get in touch.",
        "A mistake? Tell us, and we will put it right.",
        "For returns see the page of your order.",
    ],
    path: "orders",
};

static LOGIN_CODE: Wording = Wording {
    opening: [
        "You are about to sign in.",
        "Here is the way into your account.",
        "Somebody, hopefully you, wants to sign in.",
        "A sign-in with your address has begun.",
        "Almost there: one step is left to sign in.",
        "We want to be sure that it is you.",
    ],
    action: [
        "Use this link to go on:",
        "Confirm the sign-in on this page:",
        "Open this page on the same device:",
        "One click takes you in:",
        "Continue here:",
        "Finish signing in:",
    ],
    button: ["Sign in", "Confirm sign-in", "Let me in", "Continue", "It is me", "Go to my account"],
    term: [
        "It works once, for ten minutes.",
        "In ten minutes it will be worth nothing.",
        "Please do not pass it on to anybody.",
        "We will never ask you for it by telephone.",
        "It is for you alone, and not for long.",
        "After ten minutes you can ask for another one.",
    ],
    otherwise: [
        "If this was not you, nobody got in; you can ignore this mail.",
        "Not you? Without this link nobody can sign in.",
        "You did not try to sign in? Then do nothing.",
        "Does this surprise you? Have a look at the devices in your settings.",
        "If it was somebody else, your account is still safe.",
        "Should this happen often, please tell us.",
    ],
    path: "sign-in",
};

static OTHER: Wording = Wording {
    opening: [
        "There is something new in your account.",
        "This is a message about your account.",
        "We have news for you.",
        "Something in your account has changed.",
        "You asked us to keep you up to date.",
        "Here is the message that you were waiting for.",
    ],
    action: [
        "You can see it here:",
        "Have a look at this page:",
        "All about it is here:",
        "Open your account to read it:",
        "Follow this link:",
        "More on this page:",
    ],
    button: ["View", "Open", "See details", "Go to my account", "Read more", "Show me"],
    term: [
        "It stays there for thirty days.",
        "There is no hurry.",
        "We will write again if anything changes.",
        "You need not do anything else.",
        "It will be kept for you.",
        "The page is always up to date.",
    ],
    otherwise: [
        "Which messages you get is up to you; see your settings.",
        "If this is not for you, please ignore it.",
        "Questions? Our support is there to help.",
        "You can tell us what you think of it at any time.",
        "Something wrong? Please get in touch.",
        "To hear less from us, change your settings.",
    ],
    path: "account/messages",
};
