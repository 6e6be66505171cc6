//! DIMSE statuses as a table: code, category, meaning, section.

use std::fmt;

/// What a status says about its operation (PS3.7 Annex C).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Category {
    /// Done.
    Success,
    /// Done, with something to know.
    Warning,
    /// Not done.
    Failure,
    /// Ended at the requestor's wish.
    Cancel,
    /// Not yet done.
    Pending,
}

/// Status (0000,0900).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Status(pub u16);

/// A row of [`STATUSES`]: the codes whose bits under `mask` are those of `code`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meaning {
    /// The code.
    pub code: u16,
    /// Bits of the code that count; `FF00` stands for codes such as A7xx.
    pub mask: u16,
    /// Category.
    pub category: Category,
    /// Meaning, in the words of the standard.
    pub text: &'static str,
    /// Where the standard says so.
    pub section: &'static str,
}

const fn row(
    code: u16,
    mask: u16,
    category: Category,
    text: &'static str,
    section: &'static str,
) -> Meaning {
    Meaning { code, mask, category, text, section }
}

/// Statuses of C-STORE, C-ECHO and the N-services and the general ones, narrow codes before wide ones.
pub const STATUSES: [Meaning; 33] = [
    row(0x0000, 0xFFFF, Category::Success, "Success", "PS3.7 §C.1"),
    row(0xB000, 0xFFFF, Category::Warning, "Coercion of Data Elements", "PS3.4 Table B.2-1"),
    row(
        0xB007,
        0xFFFF,
        Category::Warning,
        "Data Set does not match SOP Class",
        "PS3.4 Table B.2-1",
    ),
    row(0xB006, 0xFFFF, Category::Warning, "Elements Discarded", "PS3.4 Table B.2-1"),
    row(0xA700, 0xFF00, Category::Failure, "Refused: Out of Resources", "PS3.4 Table B.2-1"),
    row(
        0xA900,
        0xFF00,
        Category::Failure,
        "Error: Data Set does not match SOP Class",
        "PS3.4 Table B.2-1",
    ),
    row(0xC000, 0xF000, Category::Failure, "Error: Cannot understand", "PS3.4 Table B.2-1"),
    row(0x0105, 0xFFFF, Category::Failure, "No such attribute", "PS3.7 §C.5"),
    row(0x0106, 0xFFFF, Category::Failure, "Invalid attribute value", "PS3.7 §C.5"),
    row(0x0107, 0xFFFF, Category::Warning, "Attribute list error", "PS3.7 §C.4"),
    row(0x0110, 0xFFFF, Category::Failure, "Processing failure", "PS3.7 §C.5"),
    row(0x0111, 0xFFFF, Category::Failure, "Duplicate SOP Instance", "PS3.7 §C.5"),
    row(0x0112, 0xFFFF, Category::Failure, "No such SOP Instance", "PS3.7 §C.5"),
    row(0x0113, 0xFFFF, Category::Failure, "No such event type", "PS3.7 §C.5"),
    row(0x0114, 0xFFFF, Category::Failure, "No such argument", "PS3.7 §C.5"),
    row(0x0115, 0xFFFF, Category::Failure, "Invalid argument value", "PS3.7 §C.5"),
    row(0x0116, 0xFFFF, Category::Warning, "Attribute Value Out of Range", "PS3.7 §C.4"),
    row(0x0117, 0xFFFF, Category::Failure, "Invalid SOP Instance", "PS3.7 §C.5"),
    row(0x0118, 0xFFFF, Category::Failure, "No such SOP class", "PS3.7 §C.5"),
    row(0x0119, 0xFFFF, Category::Failure, "Class-Instance conflict", "PS3.7 §C.5"),
    row(0x0120, 0xFFFF, Category::Failure, "Missing attribute", "PS3.7 §C.5"),
    row(0x0121, 0xFFFF, Category::Failure, "Missing attribute value", "PS3.7 §C.5"),
    row(0x0122, 0xFFFF, Category::Failure, "Refused: SOP Class Not Supported", "PS3.7 §C.5"),
    row(0x0123, 0xFFFF, Category::Failure, "No such action", "PS3.7 §C.5"),
    row(0x0124, 0xFFFF, Category::Failure, "Refused: Not authorized", "PS3.7 §C.5"),
    row(0x0210, 0xFFFF, Category::Failure, "Duplicate invocation", "PS3.7 §C.5"),
    row(0x0211, 0xFFFF, Category::Failure, "Unrecognized operation", "PS3.7 §C.5"),
    row(0x0212, 0xFFFF, Category::Failure, "Mistyped argument", "PS3.7 §C.5"),
    row(0x0213, 0xFFFF, Category::Failure, "Resource limitation", "PS3.7 §C.5"),
    row(0xFE00, 0xFFFF, Category::Cancel, "Cancel", "PS3.7 §C.3"),
    row(0xFF00, 0xFFFE, Category::Pending, "Pending", "PS3.7 §C.2"),
    row(
        0x0001,
        0xFFFF,
        Category::Warning,
        "Requested optional Attributes are not supported",
        "PS3.7 Annex C",
    ),
    row(0xB000, 0xF000, Category::Warning, "Warning", "PS3.7 Annex C"),
];

impl Status {
    /// 0000.
    pub const SUCCESS: Self = Self(0x0000);
    /// A700.
    pub const OUT_OF_RESOURCES: Self = Self(0xA700);
    /// A900.
    pub const DATA_SET_DOES_NOT_MATCH_SOP_CLASS: Self = Self(0xA900);
    /// C000.
    pub const CANNOT_UNDERSTAND: Self = Self(0xC000);
    /// 0110.
    pub const PROCESSING_FAILURE: Self = Self(0x0110);
    /// 0112.
    pub const NO_SUCH_SOP_INSTANCE: Self = Self(0x0112);
    /// 0113.
    pub const NO_SUCH_EVENT_TYPE: Self = Self(0x0113);
    /// 0115.
    pub const INVALID_ARGUMENT_VALUE: Self = Self(0x0115);
    /// 0118.
    pub const NO_SUCH_SOP_CLASS: Self = Self(0x0118);
    /// 0120.
    pub const MISSING_ATTRIBUTE: Self = Self(0x0120);
    /// 0123.
    pub const NO_SUCH_ACTION: Self = Self(0x0123);
    /// 0124.
    pub const NOT_AUTHORIZED: Self = Self(0x0124);
    /// 0213.
    pub const RESOURCE_LIMITATION: Self = Self(0x0213);
    /// 0122.
    pub const SOP_CLASS_NOT_SUPPORTED: Self = Self(0x0122);
    /// 0211.
    pub const UNRECOGNIZED_OPERATION: Self = Self(0x0211);

    /// The row that describes it; `None` where the standard has none.
    #[must_use]
    pub fn meaning(self) -> Option<&'static Meaning> {
        STATUSES.iter().find(|row| self.0 & row.mask == row.code)
    }

    /// Its category. A code that the standard does not have is a failure: nobody said that it was done.
    #[must_use]
    pub fn category(self) -> Category {
        self.meaning().map_or(Category::Failure, |row| row.category)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.meaning() {
            Some(row) => write!(f, "{:04X} ({})", self.0, row.text),
            None => write!(f, "{:04X}", self.0),
        }
    }
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_of_the_storage_service() {
        // PS3.4 Table B.2-1, cell by cell.
        let table = [
            (0xA700, Category::Failure, "Refused: Out of Resources"),
            (0xA7FF, Category::Failure, "Refused: Out of Resources"),
            (0xA900, Category::Failure, "Error: Data Set does not match SOP Class"),
            (0xA9FF, Category::Failure, "Error: Data Set does not match SOP Class"),
            (0xC000, Category::Failure, "Error: Cannot understand"),
            (0xCFFF, Category::Failure, "Error: Cannot understand"),
            (0xB000, Category::Warning, "Coercion of Data Elements"),
            (0xB007, Category::Warning, "Data Set does not match SOP Class"),
            (0xB006, Category::Warning, "Elements Discarded"),
            (0x0000, Category::Success, "Success"),
        ];
        for (code, category, text) in table {
            let row = Status(code).meaning().unwrap();
            assert_eq!((row.category, row.text), (category, text), "{code:04X}");
        }
    }

    #[test]
    fn each_row_is_found_by_its_own_code() {
        for row in &STATUSES {
            assert_eq!(row.code & row.mask, row.code);
            assert_eq!(Status(row.code).category(), row.category, "{:04X}", row.code);
        }
    }

    #[test]
    fn unknown_codes_are_failures() {
        assert_eq!(Status(0x4711).category(), Category::Failure);
        assert_eq!(Status(0x4711).to_string(), "4711");
        assert_eq!(Status(0xB123).category(), Category::Warning);
        assert_eq!(Status(0xA701).to_string(), "A701 (Refused: Out of Resources)");
    }
}
