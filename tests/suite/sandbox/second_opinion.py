"""Speaks to a sandbox with Python's own smtplib and imaplib, and fails loudly when they disagree with it."""

import imaplib
import json
import re
import smtplib
import sys
import time

world = json.load(sys.stdin)
smtp, imap = world["smtp"], world["imap"]
DEADLINE = time.monotonic() + 20


def check(what, truth):
    if not truth:
        sys.exit(f"FAILED: {what}")


# Submission.
client = smtplib.SMTP("127.0.0.1", smtp["port"], timeout=10)
client.ehlo("client.example.com")
check("offers", client.has_extn("auth") and client.has_extn("size") and client.has_extn("pipelining"))
check("noop", client.noop()[0] == 250)
check("mail before auth", client.docmd("MAIL FROM:<a@example.com>")[0] == 530)
try:
    client.login(smtp["username"], "wrong")
    check("a wrong password is refused", False)
except smtplib.SMTPAuthenticationError as error:
    check("refusal", error.smtp_code == 535)
client.user, client.password = smtp["username"], smtp["secret"]
check("AUTH LOGIN", client.auth("LOGIN", client.auth_login)[0] == 235)
body = "Subject: one\r\nX-Canary: 7\r\n\r\n.dot\r\n..two dots\r\n" + "x" * 2000 + "\r\n"
check("refused recipients", client.sendmail("a@example.com", [imap["username"]], body) == {})
check("unknown command", client.docmd("FROBNICATE")[0] == 500)
check("bad path", client.docmd("MAIL FROM:a@b")[0] == 501)
check("reset", client.rset()[0] == 250)
client.mail("a@example.com")
check("data without recipient", client.docmd("DATA")[0] == 503)
client.rset()
try:
    client.sendmail("a@example.com", [imap["username"]], "Subject: large\r\n\r\n" + ("y" * 70 + "\r\n") * 20000)
    check("a large message is refused", False)
except smtplib.SMTPSenderRefused as error:
    check("too large, by SIZE", error.smtp_code == 552)
client.mail("a@example.com")
client.rcpt(imap["username"])
check("too large, after the data", client.data("Subject: large\r\n\r\n" + ("y" * 70 + "\r\n") * 20000)[0] == 552)
local, domain = imap["username"].split("@")
client.sendmail("", [f"{local}+token@{domain}"], "")
check("quit", client.quit()[0] == 221)

# AUTH PLAIN in two steps.
client = smtplib.SMTP("127.0.0.1", smtp["port"], timeout=10)
client.ehlo()
client.user, client.password = smtp["username"], smtp["secret"]
check("AUTH PLAIN", client.auth("PLAIN", client.auth_plain, initial_response_ok=False)[0] == 235)
client.quit()

# Reading.
box = imaplib.IMAP4("127.0.0.1", imap["port"], timeout=10)
check("capabilities", {"IDLE", "SASL-IR", "AUTH=PLAIN"} <= set(box.capabilities))
try:
    box.login(imap["username"], "wrong")
    check("a wrong password is refused", False)
except imaplib.IMAP4.error as error:
    check("refusal", b"AUTHENTICATIONFAILED" in error.args[0])
secret = f"\0{imap['username']}\0{imap['secret']}".encode()
check("AUTHENTICATE PLAIN", box.authenticate("PLAIN", lambda _: secret)[0] == "OK")
imaplib.Commands["ID"] = ("AUTH", "SELECTED")
check("ID", box._simple_command("ID", "NIL")[0] == "OK")
kind, folders = box.list()
check("LIST", kind == "OK" and any(rb"(\Junk)" in f and f.endswith(b" Junk") for f in folders) and len(folders) == 2)
check("no such folder", box.select("Archive")[0] == "NO")
check("EXAMINE", box.select("INBOX", readonly=True)[0] == "OK")
while True:
    kind, status = box.status("INBOX", "(MESSAGES UIDNEXT UIDVALIDITY UNSEEN)")
    if b"MESSAGES 2" in status[0]:
        break
    check("both mails arrive", time.monotonic() < DEADLINE)
    time.sleep(0.02)
check("status", b"UIDNEXT 3" in status[0] and b"UNSEEN 2" in status[0])
check("NOOP", box.noop()[0] == "OK")
check("EXISTS", box.untagged_responses["EXISTS"][-1] == b"2")
kind, data = box.uid("FETCH", "1:*", "(UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (X-CANARY subject)])")
head = [d for d in data if isinstance(d, tuple)]
check("two answers", len(head) == 2)
one = next(d for d in head if b"X-Canary: 7" in d[1])
check("fields", one[1] == b"Subject: one\r\nX-Canary: 7\r\n\r\n")
when = imaplib.Internaldate2tuple(one[0])
check("INTERNALDATE", when and abs(time.mktime(when) - time.time()) < 60)
uid = re.search(rb"UID (\d+)", one[0]).group(1).decode()
whole = box.uid("FETCH", uid, "(BODY.PEEK[])")[1][0][1]
check("dots", b"\r\n\r\n.dot\r\n..two dots\r\n" + b"x" * 2000 in whole)
size = int(re.search(rb"RFC822.SIZE (\d+)", one[0]).group(1))
check("size", size == len(whole))
check("hops", whole.count(b"Received: from") == 2 and whole.startswith(b"Return-Path: <a@example.com>\r\n"))
check("added", b"\r\nMessage-ID: <" in whole and b"\r\nDate: " in whole)
part = box.uid("FETCH", uid, "(BODY.PEEK[]<5.7>)")[1][0]
check("partial", part[1] == whole[5:12] and b"BODY[]<5>" in part[0])
header = box.uid("FETCH", uid, "(BODY.PEEK[HEADER])")[1][0][1]
text = box.uid("FETCH", uid, "(BODY.PEEK[TEXT])")[1][0][1]
check("header and text", header + text == whole and header.endswith(b"\r\n\r\n"))
beyond = box.uid("FETCH", "99:*", "(FLAGS)")[1]
check("99:* names the last message", len(beyond) == 1 and b"UID 2" in beyond[0])
check("reading only", box.uid("STORE", uid, "+FLAGS", r"(\Deleted)")[0] == "NO")
check("unseen still", b"UNSEEN 2" in box.status("INBOX", "(UNSEEN)")[1][0])
check("search", box.uid("SEARCH", "UID", uid)[1] == [uid.encode()])

# Deleting, seen by another session.
other = imaplib.IMAP4("127.0.0.1", imap["port"], timeout=10)
other.login(imap["username"], imap["secret"])
check("SELECT", other.select("INBOX")[0] == "OK")
check("STORE", b"Deleted" in other.uid("STORE", uid, "+FLAGS", r"(\Deleted \Seen)")[1][0])
other_uid = "1" if uid == "2" else "2"
check("UID EXPUNGE of another", other.uid("EXPUNGE", other_uid)[0] == "OK")
check("still there", b"MESSAGES 2" in other.status("INBOX", "(MESSAGES)")[1][0])
check("UID EXPUNGE", other.uid("EXPUNGE", uid)[0] == "OK")
check("gone", b"MESSAGES 1" in other.status("INBOX", "(MESSAGES)")[1][0])
box.untagged_responses.clear()
box.noop()
check("the other session hears of it", "EXPUNGE" in box.untagged_responses)
try:
    other.xatom("XFROB")
    check("an unknown command is refused", False)
except imaplib.IMAP4.error as error:
    check("and with its own tag", "not understood" in str(error))
check("logout", other.logout()[0] == "BYE" and box.logout()[0] == "BYE")
print("agreed")
