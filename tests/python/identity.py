"""pynetdicom as a peer that shows who its user is, and as one that asks.

    identity.py request PORT CA CERT KEY < scenarios     one JSON object a line: calling, and the identity to show
    identity.py serve PORT CA CERT KEY USER PASSCODE     answers C-ECHO for one user, by TLS

PORT is a plain one where CA is "-".
"""

import json
import ssl
import sys

from pynetdicom import AE, evt
from pynetdicom.pdu_primitives import UserIdentityNegotiation
from pynetdicom.sop_class import Verification


def context(server, ca, cert, key):
    """A context of Python's ssl that shows a certificate and wants to see one."""
    protocol = ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT
    made = ssl.SSLContext(protocol)
    made.load_verify_locations(ca)
    made.load_cert_chain(cert, key)
    made.verify_mode = ssl.CERT_REQUIRED
    return made


def negotiation(wanted):
    """The item of one scenario; None where it shows nothing."""
    if wanted["type"] == 0:
        return None
    item = UserIdentityNegotiation()
    item.user_identity_type = wanted["type"]
    item.positive_response_requested = wanted["response"]
    item.primary_field = wanted["primary"].encode()
    if wanted["type"] == 2:
        item.secondary_field = wanted["secondary"].encode()
    return item


def ask(port, tls, wanted):
    """What becomes of one association: accepted or rejected, and how it is answered."""
    ae = AE(ae_title=wanted["calling"])
    ae.add_requested_context(Verification)
    item = negotiation(wanted)
    said = {}

    def rejected(event):
        if type(event.pdu).__name__ == "A_ASSOCIATE_RJ":
            pdu = event.pdu
            said["rejected"] = [pdu.result, pdu.source, pdu.reason_diagnostic]

    assoc = ae.associate(
        "127.0.0.1",
        port,
        ae_title="PARSENODE",
        ext_neg=[item] if item else [],
        tls_args=(tls, "127.0.0.1") if tls else None,
        evt_handlers=[(evt.EVT_PDU_RECV, rejected)],
    )
    if assoc.is_established:
        said["echo"] = assoc.send_c_echo().Status
        response = assoc.acceptor.user_identity
        said["response"] = None if response is None else response.server_response.decode()
        assoc.release()
    return said


def request(port, ca, cert, key):
    tls = None if ca == "-" else context(False, ca, cert, key)
    for line in sys.stdin:
        print(json.dumps(ask(port, tls, json.loads(line))), flush=True)


def serve(port, ca, cert, key, user, passcode):
    def check(event):
        good = (event.primary_field, event.secondary_field) == (user.encode(), passcode.encode())
        print(json.dumps({"type": event.user_id_type, "good": good}), flush=True)
        return good, None

    ae = AE(ae_title="PYNET")
    ae.add_supported_context(Verification)
    handlers = [(evt.EVT_USER_ID, check)]
    tls = context(True, ca, cert, key)
    ae.start_server(("127.0.0.1", port), ssl_context=tls, evt_handlers=handlers)


if __name__ == "__main__":
    command, port, *rest = sys.argv[1:]
    {"request": request, "serve": serve}[command](int(port), *rest)
