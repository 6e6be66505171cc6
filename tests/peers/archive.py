"""An archive that commits to what it got, in the way that a test names: pynetdicom as the SCP of storage commitment.

archive.py AE-TITLE PORT WAY NODE-PORT

It listens as AE-TITLE on PORT of loopback, stores nothing and says yes to every C-STORE, and prints one line of JSON
for each thing that happens. WAY is one of

same      reports over the association of the request
new       reports over an association of its own, as SCP by role selection
late      does not answer the first request, and reports on it when it is asked again
silent    never reports
refuse    answers requests with 0213
conflict  reports that one instance is in conflict with its class, 0119
lost      reports at first that it has no such instance, 0112
half      reports at first on the first instance only
twice     reports twice
foreign   reports on a transaction that nobody asked about, then on the right one
stranger  reports under an AE title that nobody asked
"""

import json
import sys
import threading
import time

from pydicom.dataset import Dataset
from pynetdicom import AE, ALL_TRANSFER_SYNTAXES, AllStoragePresentationContexts, build_role, evt
from pynetdicom.sop_class import StorageCommitmentPushModel, StorageCommitmentPushModelInstance

TITLE, PORT, WAY, NODE = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
asked = []
taken = []


def say(**what):
    print(json.dumps(what), flush=True)


def item(reference, reason=None):
    made = Dataset()
    made.ReferencedSOPClassUID = reference.ReferencedSOPClassUID
    made.ReferencedSOPInstanceUID = reference.ReferencedSOPInstanceUID
    if reason is not None:
        made.FailureReason = reason
    return made


def report_on(request, committed, failed=(), transaction=None):
    made = Dataset()
    made.TransactionUID = transaction or request.TransactionUID
    made.RetrieveAETitle = TITLE
    if committed:
        made.ReferencedSOPSequence = [item(reference) for reference in committed]
    if failed:
        made.FailedSOPSequence = [item(reference, reason) for reference, reason in failed]
    return made


def send(association, report):
    event = 2 if "FailedSOPSequence" in report else 1
    status, _ = association.send_n_event_report(
        report, event, StorageCommitmentPushModel, StorageCommitmentPushModelInstance
    )
    say(told=str(report.TransactionUID), status=status.get("Status", -1))
    if status.get("Status", -1) == 0:
        taken.append(report)


def send_new(report, title=TITLE):
    entity = AE(ae_title=title)
    entity.add_requested_context(StorageCommitmentPushModel)
    role = build_role(StorageCommitmentPushModel, scp_role=True)
    association = entity.associate("127.0.0.1", NODE, ae_title="PARSENODE", ext_neg=[role])
    if not association.is_established:
        return say(error="the node takes no association")
    send(association, report)
    association.release()


def later(work, *arguments):
    def run():
        time.sleep(0.2)
        work(*arguments)

    threading.Thread(target=run, daemon=True).start()


def on_action(event):
    request = event.action_information
    references = list(request.ReferencedSOPSequence)
    first = not asked
    asked.append(request)
    say(asked=str(request.TransactionUID), count=len(references), action=event.action_type)
    whole = report_on(request, references)
    if WAY == "same":
        later(send, event.assoc, whole)
    elif WAY == "new":
        later(send_new, whole)
    elif WAY == "late" and not first:
        earlier = asked[0]
        later(send_new, report_on(earlier, list(earlier.ReferencedSOPSequence)))
    elif WAY == "refuse":
        return 0x0213, None
    elif WAY == "conflict":
        later(send_new, report_on(request, references[1:], [(references[0], 0x0119)]))
    elif WAY == "lost":
        lost = report_on(request, [], [(reference, 0x0112) for reference in references])
        later(send_new, whole if taken else lost)
    elif WAY == "half":
        later(send_new, whole if taken else report_on(request, references[:1]))
    elif WAY == "twice":
        later(lambda: (send_new(whole), send_new(whole)))
    elif WAY == "foreign":
        foreign = report_on(request, references, transaction="1.2.3.4")
        later(lambda: (send_new(foreign), send_new(whole)))
    elif WAY == "stranger":
        later(send_new, whole, "STRANGER")
    return 0x0000, None


def on_store(event):
    say(stored=str(event.request.AffectedSOPInstanceUID))
    return 0x0000


entity = AE(ae_title=TITLE)
for context in AllStoragePresentationContexts:
    entity.add_supported_context(context.abstract_syntax, ALL_TRANSFER_SYNTAXES)
entity.add_supported_context(StorageCommitmentPushModel)
handlers = [(evt.EVT_N_ACTION, on_action), (evt.EVT_C_STORE, on_store)]
entity.start_server(("127.0.0.1", PORT), block=False, evt_handlers=handlers)
say(listening=PORT)
threading.Event().wait()
