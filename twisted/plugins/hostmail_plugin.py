from twisted.application.service import ServiceMaker

hostmail = ServiceMaker("hostmail", "hostmail.tap", "A mail appliance for hosting: SMTP, POP3 and IMAP.", "hostmail")
