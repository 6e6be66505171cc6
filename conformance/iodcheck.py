"""Checks attribute types of DICOM files against the module tables of DICOM 2026b.

    python iodcheck.py FILE...        prints one complaint a line: FILE <TAB> complaint; exit 1 when there is one

The tables are the ones that highdicom carries (machine-made from PS3.3); nothing of them is copied here.
Found are: type 1 attributes that are missing or empty, type 2 attributes that are missing, and attributes that no
module of the IOD has. Conditions (1C, 2C, C) are not evaluated: a conditional attribute may be there or not, a
conditional or optional module counts when an attribute is there that only it has.

The tables write the content item macros of PS3.3 C.17.3 as if each item were of every value type at once; here an
item is asked only for what its own value type needs, on every level of the tree.
"""

import json
import sys
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from importlib import resources

import pydicom
from pydicom.datadict import keyword_for_tag, tag_for_keyword
from pydicom.dataset import Dataset

# A functional group macro is shared or per frame; the tables list it under both.
FUNCTIONAL_GROUPS = {"SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"}
# Allowed in every composite IOD by PS3.3 C.12.1 whatever the module tables of an IOD say.
EVERYWHERE = {"SpecificCharacterSet"}
# What a content item of a value type must have: PS3.3 Table C.18.1-1b and the macros that it names.
CONTENT_ITEM = {
    "TEXT": ["TextValue"], "NUM": ["MeasuredValueSequence"], "CODE": ["ConceptCodeSequence"], "DATETIME": ["DateTime"],
    "DATE": ["Date"], "TIME": ["Time"], "UIDREF": ["UID"], "PNAME": ["PersonName"],
    "COMPOSITE": ["ReferencedSOPSequence"], "IMAGE": ["ReferencedSOPSequence"], "WAVEFORM": ["ReferencedSOPSequence"],
    "SCOORD": ["GraphicData", "GraphicType"], "TCOORD": ["TemporalRangeType"], "CONTAINER": ["ContinuityOfContent"],
    "SCOORD3D": ["GraphicData", "GraphicType", "ReferencedFrameOfReferenceUID"],
    "TABLE": ["TabulatedValuesSequence"],
}
OF_VALUE_TYPES = {keyword for needed in CONTENT_ITEM.values() for keyword in needed}


@cache
def table(name: str):
    return json.loads((resources.files("highdicom") / "_standard" / f"{name}.json").read_text())


@dataclass
class Node:
    """What one attribute may be, and what may be in its items."""

    type: str = "3"
    children: dict[str, "Node"] = field(default_factory=dict)


def add(root: Node, path: list[str], keyword: str, type_: str) -> None:
    node = root
    for step in path:
        node = node.children.setdefault(step, Node())
    entry = node.children.setdefault(keyword, Node())
    # Asked for directly in a functional group sequence means: in one of the two.
    entry.type = "3" if path and path[-1] in FUNCTIONAL_GROUPS else type_


@cache
def module_tree(key: str) -> Node:
    root = Node()
    for attribute in table("module_attribute_map").get(key, []):
        add(root, attribute["path"], attribute["keyword"], attribute["type"])
    return root


def modules_of(sop_class: str) -> list[dict]:
    iod = table("sop_class_iod_map")[sop_class]
    return table("iod_module_map")[iod]


def is_used(module: dict, modules: list[dict], data_set: Dataset) -> bool:
    """Mandatory, or present by an attribute that no mandatory module has."""
    if module["usage"] == "M":
        return True
    mandatory = {k for m in modules if m["usage"] == "M" for k in module_tree(m["key"]).children}
    own = (k for k in module_tree(module["key"]).children if k not in mandatory)
    return any(value_of(data_set, keyword) is not None for keyword in own)


def value_of(data_set: Dataset, keyword: str):
    """The element, or None. pydicom's dictionary is older than the tables; what it does not know is looked up in vain."""
    tag = tag_for_keyword(keyword)
    return data_set.get(tag) if tag is not None else None


def is_empty(element) -> bool:
    return element.value is None or (hasattr(element.value, "__len__") and len(element.value) == 0)


def asked_for(data_set: Dataset, keyword: str) -> bool:
    """Whether a content item is of a value type that has this attribute; anything else is always asked."""
    value_type = data_set.get("ValueType")
    return value_type is None or keyword not in OF_VALUE_TYPES or keyword in CONTENT_ITEM.get(value_type, [])


def inside(keyword: str, node: Node) -> Node:
    """What the items of a sequence may hold. The tables give the content tree one level; it goes on like that."""
    if keyword == "ContentSequence":
        node.children.setdefault("ContentSequence", node)
    return node


def missing(data_set: Dataset, tree: Node, module: str, path: str = ""):
    if "ReferencedContentItemIdentifier" in data_set:
        return  # a content item by reference is nothing but its number
    for keyword, node in tree.children.items():
        if not asked_for(data_set, keyword):
            continue
        here = f"{path}/{keyword}" if path else keyword
        element = value_of(data_set, keyword)
        if node.type == "1" and (element is None or is_empty(element)):
            yield f"{module}: type 1 missing or empty: {here}"
        if node.type == "2" and element is None:
            yield f"{module}: type 2 missing: {here}"
        if element is not None and node.children and element.VR == "SQ":
            for item in element.value:
                yield from missing(item, inside(keyword, node), module, here)


def merge(trees: list[Node]) -> Node:
    merged = Node()
    for keyword in {k for tree in trees for k in tree.children}:
        parts = [tree.children[keyword] for tree in trees if keyword in tree.children]
        # A content tree that holds itself is taken as it is.
        merged.children[keyword] = parts[0] if keyword == "ContentSequence" else merge(parts)
    return merged


def surplus(data_set: Dataset, tree: Node, path: str = ""):
    for element in data_set:
        if element.tag.is_private or element.tag.group == 2:
            continue
        keyword = keyword_for_tag(element.tag) or str(element.tag)
        here = f"{path}/{keyword}" if path else keyword
        if keyword not in tree.children:
            if keyword not in EVERYWHERE:
                yield f"not in this IOD: {here}"
        elif element.VR == "SQ" and tree.children[keyword].children:
            # A table that ends at a sequence (content items in content items) says nothing of deeper ones.
            for item in element.value:
                yield from surplus(item, inside(keyword, tree.children[keyword]), here)


def complaints(data_set: Dataset) -> Counter:
    modules = modules_of(data_set.SOPClassUID)
    found = Counter()
    for module in modules:
        if module["key"] not in table("module_attribute_map"):
            found[f"no table for module {module['key']}"] += 1
        elif is_used(module, modules, data_set):
            found.update(missing(data_set, module_tree(module["key"]), module["key"]))
    found.update(surplus(data_set, merge([module_tree(m["key"]) for m in modules])))
    return found


def main(files: list[str]) -> int:
    any_found = False
    for file in files:
        for complaint, count in complaints(pydicom.dcmread(file, stop_before_pixels=True)).items():
            any_found = True
            print(f"{file}\t{complaint}{f' ({count} times)' if count > 1 else ''}")
    return 1 if any_found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
