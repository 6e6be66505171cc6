"""A modality that sends and asks for storage commitment: pynetdicom as the SCU of the node.

modality.py NODE-PORT OWN-PORT FILE…

Sends the files under an asynchronous operations window, then asks the node to commit, in several ways, and checks each
answer. Reports come over the same association or to OWN-PORT, where it listens as MODALITY. Prints one line of JSON
for each thing that was as it has to be; ends with an error at the first that was not.
"""

import json
import queue
import sys
import time

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid
from pynetdicom import AE, evt
from pynetdicom.pdu_primitives import (
    AsynchronousOperationsWindowNegotiation,
    SCP_SCU_RoleSelectionNegotiation,
)
from pynetdicom.sop_class import StorageCommitmentPushModel, StorageCommitmentPushModelInstance

NODE, OWN, FILES = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
sent = [dcmread(file) for file in FILES]
reports = queue.Queue()
CT = sent[0].SOPClassUID


def was(what, condition, found):
    if not condition:
        sys.exit(f"{what}: {found}")
    print(json.dumps({"was": what, "found": str(found)}), flush=True)


def on_report(event):
    over = "same" if event.assoc.is_requestor else "new"
    reports.put((over, event.event_type, event.event_information))
    return 0x0000, None


HANDLERS = [(evt.EVT_N_EVENT_REPORT, on_report)]


def associate(extended=()):
    entity = AE(ae_title="MODALITY")
    entity.add_requested_context(StorageCommitmentPushModel)
    entity.add_requested_context(CT)
    association = entity.associate(
        "127.0.0.1", NODE, ae_title="PARSENODE", ext_neg=list(extended), evt_handlers=HANDLERS
    )
    was("the association is accepted", association.is_established, "accepted")
    return association


def said(association, kind):
    items = association.acceptor.primitive.user_information
    return [item for item in items if isinstance(item, kind)]


def request(references, transaction=None):
    made = Dataset()
    made.TransactionUID = transaction or generate_uid()
    items = []
    for sop_class, sop_instance in references:
        reference = Dataset()
        reference.ReferencedSOPClassUID = sop_class
        reference.ReferencedSOPInstanceUID = sop_instance
        items.append(reference)
    made.ReferencedSOPSequence = items
    return made


def ask(association, information, action=1, instance=StorageCommitmentPushModelInstance):
    status, _ = association.send_n_action(
        information, action, StorageCommitmentPushModel, instance
    )
    return status.get("Status", -1)


def reported(over, transaction):
    came, event, information = reports.get(timeout=60)
    was("the report comes over the way it should", came == over, came)
    was("it is on our transaction", information.TransactionUID == transaction, transaction)
    committed = [str(i.ReferencedSOPInstanceUID) for i in information.get("ReferencedSOPSequence", [])]
    failed = {
        str(i.ReferencedSOPInstanceUID): i.FailureReason
        for i in information.get("FailedSOPSequence", [])
    }
    was("its event type fits", event == (2 if failed else 1), event)
    return committed, failed


listener = AE(ae_title="MODALITY")
listener.add_supported_context(StorageCommitmentPushModel, scu_role=False, scp_role=True)
listener.start_server(("127.0.0.1", OWN), block=False, evt_handlers=HANDLERS)

# Sending, with a window.
window = AsynchronousOperationsWindowNegotiation()
window.maximum_number_operations_invoked = 8
window.maximum_number_operations_performed = 4
association = associate([window])
agreed = said(association, AsynchronousOperationsWindowNegotiation)
agreed = [(i.maximum_number_operations_invoked, i.maximum_number_operations_performed) for i in agreed]
was("the window is agreed to", agreed == [(8, 1)], agreed)
for instance in sent:
    status = association.send_c_store(instance).Status
    was("an instance is stored", status == 0, status)

# Over the same association.
everything = [(CT, instance.SOPInstanceUID) for instance in sent]
uids = [str(uid) for _, uid in everything]
asked = request(everything)
was("a request is taken", (status := ask(association, asked)) == 0, status)
committed, failed = reported("same", asked.TransactionUID)
was("all is committed to", (committed, failed) == (uids, {}), (len(committed), failed))
status = ask(association, request(everything), action=2)
was("there is no such action", status == 0x0123, status)
status = ask(association, request(everything), instance="1.2.3")
was("there is no such instance", status == 0x0112, status)
status = ask(association, request([]))
was("a request without references is none", status == 0x0120, status)
association.release()

# Over a new one, with what is not there and what is something else.
role = SCP_SCU_RoleSelectionNegotiation()
role.sop_class_uid, role.scu_role, role.scp_role = StorageCommitmentPushModel, True, False
association = associate([role])
agreed = [(i.scu_role, i.scp_role) for i in said(association, SCP_SCU_RoleSelectionNegotiation)]
was("our role is agreed to", agreed == [(True, False)], agreed)
odd = request([everything[0], (CT, "1.2.3.4.5"), ("1.2.840.10008.5.1.4.1.1.4", uids[1])])
was("a request is taken", (status := ask(association, odd)) == 0, status)
association.release()
committed, failed = reported("new", odd.TransactionUID)
want = ([uids[0]], {"1.2.3.4.5": 0x0112, uids[1]: 0x0119})
was("what is not there is told with its reason", (committed, failed) == want, (committed, failed))

# The same once more, and another under its Transaction UID.
association = associate()
was("the same request is taken", (status := ask(association, odd)) == 0, status)
association.release()
was("it is reported on again", (found := reported("new", odd.TransactionUID)) == want, found)
association = associate()
duplicate = request(everything[:1], odd.TransactionUID)
was("another under its UID is taken", (status := ask(association, duplicate)) == 0, status)
association.release()
found = reported("new", odd.TransactionUID)
was("and told to be a duplicate", found == ([], {uids[0]: 0x0131}), found)
# The node ends its last association before the listener goes.
time.sleep(2)
listener.shutdown()
