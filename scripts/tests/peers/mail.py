"""The mail server of the tests with a client that is not ours, and our letters with readers that are not ours."""
import email, email.policy, json, os, pathlib, smtplib, ssl, subprocess, sys, tempfile
import dkim
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

server_path, tool = (os.path.abspath(p) for p in sys.argv[1:3])
fixtures = pathlib.Path("fixtures/mail").resolve()
work = pathlib.Path(tempfile.mkdtemp())


class Server:
    def __init__(self, *args):
        self.process = subprocess.Popen(
            [server_path, "--authority", work / "ca.pem", *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().split()[1])

    def count(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        words = self.process.stdout.readline().split()
        return int(words[1]), int(words[3])

    def stop(self):
        self.process.stdin.close()
        self.process.wait(10)


def refused(call, *codes):
    try:
        call()
    except smtplib.SMTPResponseException as error:
        assert error.smtp_code in codes, error
        return
    raise AssertionError("not refused")


def client_and_server():
    server = Server()
    with smtplib.SMTP("127.0.0.1", server.port) as client:
        client.ehlo()
        assert not client.has_extn("auth") and client.has_extn("pipelining")
        client.starttls(context=ssl.create_default_context(cafile=work / "ca.pem"))
        refused(lambda: client.login("news@quillmoss.example", "wrong"), 535)
        refused(lambda: client.sendmail("a@x.example", "b@x.example", "x"), 530)
        client.login("news@quillmoss.example", "secret-word")
        message = "Message-ID: <1@x.example>\r\nSubject: s\r\n\r\n.\r\n..\r\nend\r\n"
        client.sendmail("a@x.example", ["b@x.example"], message)
        refused(lambda: client.sendmail("a@x.example", ["b@x.example"], message), 554)
        refused(lambda: client.sendmail("a@x.example", "b@x.example", "Subject: x\r\n\r\n" + "x" * 999 + "\r\n"), 554)
        refused(lambda: client.sendmail("a@x.example", "b@x.example", "Subject: \u00e9\r\n\r\n".encode()), 554)
        unsigned = "List-Unsubscribe: <https://x.example>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n\r\n"
        refused(lambda: client.sendmail("a@x.example", "b@x.example", unsigned), 554)
    assert server.count() == (1, 4), server.count()
    server.stop()
    print("smtplib and the server of the tests agree: 1 taken, 4 refused")


def letters():
    names = json.loads((fixtures / "attachment-names/names.json").read_text())
    folder = work / "files"
    folder.mkdir()
    wanted = [n for n in names if "/" not in n and "\r" not in n]
    for name in wanted:
        (folder / name).write_bytes(name.encode())
    (work / "shared-config").mkdir()
    rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    ed_key = ed25519.Ed25519PrivateKey.generate()
    for name, key in (("rsa", rsa_key), ("ed25519", ed_key)):
        pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        (work / "shared-config/onejob.toml").write_text(
            '[tools.email_sender.settings]\nfrom = ["news@quillmoss.example"]\nunsubscribe_url = "https://quillmoss.example/off"\n'
            'dkim = { domain = "quillmoss.example", selector = "s1" }\n')
        (work / "list.csv").write_text("email;name\nina@quillmoss.example;Ина\n")
        (work / "letter.html").write_text("<p>Hello {{ name }},</p>\n<p>tea  is back. </p>\n\n")
        environment = {"PATH": os.environ["PATH"], "HOME": str(work), "ONEJOB_STATE_DIR": str(work / "state"),
                       "DKIM_PRIVATE_KEY": pem.decode(), "UNSUBSCRIBE_SECRET": "0123456789abcdef"}
        attach = [x for n in wanted for x in ("--attach", str(folder / n))]
        subprocess.run([tool, "plan", "letter.html", "--to", "list.csv", "--subject", "Чай вернулся — длинная тема " * 4,
                        "--key", name, "-o", name, "--json", *attach],
                       cwd=work, env=environment, check=True, stdout=subprocess.DEVNULL)
        raw = (work / name / "0001-ina@quillmoss.example.eml").read_bytes()
        public = key.public_key()
        if name == "rsa":
            der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
            record = b"v=DKIM1; k=rsa; p=" + __import__("base64").b64encode(der)
        else:
            der = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
            record = b"v=DKIM1; k=ed25519; p=" + __import__("base64").b64encode(der)
        look = lambda name, timeout=5: record if name.startswith(b"s1._domainkey.quillmoss.example") else None
        assert dkim.verify(raw, dnsfunc=look), name
        assert not dkim.verify(raw.replace(b"c=" + name.encode(), b"c=other"), dnsfunc=look), "a changed link is noticed"
        assert not dkim.verify(raw.replace(b"Subject: ", b"Subject: x", 1), dnsfunc=look)
        message = email.message_from_bytes(raw, policy=email.policy.SMTP)
        assert [part.get_filename() for part in message.iter_attachments()] == wanted
        assert [part.get_content() for part in message.iter_attachments() if part.get_content_type() == "application/pdf"]
        assert message["Subject"].strip() == ("Чай вернулся — длинная тема " * 4).strip(), message["Subject"]
        assert message["To"].addresses[0].display_name == "Ина"
        assert message.get_body(("plain",)).get_content().startswith("Hello Ина,")
    print(f"Python reads {len(wanted)} names of attachments, dkimpy verifies RSA and Ed25519")


client_and_server()
letters()
