//! Whether two programs run the same machine code, as far as that can be told.
//!
//! From the function that a lane spends its time in, every function that it calls is followed, and
//! theirs, on both sides at once. Two functions are the same when their bytes are, the places that
//! the linker fills in left aside, and those places lead to functions that are the same. Programs
//! are linked so that they keep the list of those places (see `cargo`); without it, or on another
//! machine than x86-64, nothing is said.
//!
//! Data is not looked at, nor is code that is reached only through pointers in data; the calls of a
//! layer, which lie in a table, are places to begin at.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use object::read::elf::ElfFile64;
use object::{
    Endianness, Object, ObjectSection, ObjectSegment, ObjectSymbol, RelocationFlags,
    RelocationTarget, SectionFlags, SymbolKind,
};

/// The machine code of a program.
#[derive(Debug, Default)]
pub struct Code {
    /// What the addresses of the file begin with.
    base: u64,
    /// Functions: where each begins, and its bytes.
    functions: BTreeMap<u64, Vec<u8>>,
    /// Places that the linker filled in, by address.
    places: BTreeMap<u64, Place>,
}

/// A place that the linker filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    bytes: u64,
    kind: u32,
    to: To,
}

/// What a place leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
enum To {
    /// Code of this program.
    Code(u64),
    /// Something of a library.
    Library(String),
    /// Data, or a variable of a thread.
    Data,
}

/// `R_X86_64_64`, the only kind of place with eight bytes that code has.
const KIND_64: u32 = 1;
/// Kinds that are counted from the end of the place: PC32, PLT32, GOTPCREL, GOTPCRELX and
/// REX_GOTPCRELX.
const RELATIVE: [u32; 5] = [2, 4, 9, 41, 42];
/// `SHF_EXECINSTR`.
const EXECUTABLE: u64 = 4;
/// More functions than this are not followed.
const FUNCTIONS_MAX: usize = 20_000;

impl Code {
    /// Reads a program; none if it is not one that can be told.
    #[must_use]
    pub fn read(program: &Path) -> Option<Code> {
        let bytes = std::fs::read(program).ok()?;
        let file = ElfFile64::<Endianness>::parse(&*bytes).ok()?;
        if file.architecture() != object::Architecture::X86_64 {
            return None;
        }
        let code = Code {
            base: file.segments().map(|segment| segment.address()).min()?,
            functions: functions(&file),
            places: places(&file),
        };
        (!code.functions.is_empty() && !code.places.is_empty()).then_some(code)
    }

    /// The function that an address lies in, and how far inside.
    fn function(&self, address: u64) -> Option<(u64, &[u8])> {
        let (start, bytes) = self.functions.range(..=address).next_back()?;
        (address - start < bytes.len() as u64).then_some((*start, bytes.as_slice()))
    }

    fn places_of(&self, start: u64, length: usize) -> impl Iterator<Item = (u64, &Place)> {
        let range = start..start + length as u64;
        self.places.range(range).map(move |(at, place)| (at - start, place))
    }
}

type Elf<'a> = ElfFile64<'a, Endianness>;

fn functions(file: &Elf<'_>) -> BTreeMap<u64, Vec<u8>> {
    let texts = file.symbols().filter(|symbol| symbol.kind() == SymbolKind::Text);
    let with_bytes = texts.filter_map(|symbol| {
        let section = file.section_by_index(symbol.section_index()?).ok()?;
        let bytes = section.data_range(symbol.address(), symbol.size()).ok()??;
        (!bytes.is_empty()).then(|| (symbol.address(), bytes.to_vec()))
    });
    with_bytes.collect()
}

fn is_code(flags: SectionFlags) -> bool {
    matches!(flags, SectionFlags::Elf { sh_flags, .. } if sh_flags.0 & EXECUTABLE != 0)
}

fn places(file: &Elf<'_>) -> BTreeMap<u64, Place> {
    let mut places = BTreeMap::new();
    for section in file.sections().filter(|section| is_code(section.flags())) {
        for (offset, relocation) in section.relocations() {
            let RelocationFlags::Elf { r_type, .. } = relocation.flags() else { continue };
            let kind = r_type.0;
            let RelocationTarget::Symbol(index) = relocation.target() else { continue };
            let Ok(symbol) = file.symbol_by_index(index) else { continue };
            let beyond = if RELATIVE.contains(&kind) { 4 } else { 0 };
            let address = symbol.address().wrapping_add_signed(relocation.addend() + beyond);
            let bytes = if kind == KIND_64 { 8 } else { 4 };
            let to = to(file, &symbol, address);
            // In a linked file they are addresses, in an object file offsets.
            let at = if offset >= section.address() { offset } else { section.address() + offset };
            places.insert(at, Place { bytes, kind, to });
        }
    }
    places
}

fn to<'a>(file: &Elf<'a>, symbol: &impl ObjectSymbol<'a>, address: u64) -> To {
    if symbol.is_undefined() {
        return To::Library(symbol.name().unwrap_or_default().to_owned());
    }
    let section = symbol.section_index().and_then(|index| file.section_by_index(index).ok());
    match section {
        Some(section) if is_code(section.flags()) => To::Code(address),
        _ => To::Data,
    }
}

/// Whether both programs run the same code from these places on, which are counted from the
/// beginning of the program in memory; none if that cannot be told.
#[must_use]
pub fn same(first: &Code, second: &Code, entries: [u64; 2]) -> Option<bool> {
    let mut left = vec![(entries[0] + first.base, entries[1] + second.base)];
    let mut seen = HashSet::new();
    while let Some((one, two)) = left.pop() {
        let ((start_one, one_bytes), (start_two, two_bytes)) =
            (first.function(one)?, second.function(two)?);
        if one - start_one != two - start_two {
            return Some(false);
        }
        if !seen.insert((start_one, start_two)) {
            continue;
        }
        if seen.len() > FUNCTIONS_MAX {
            return None;
        }
        let places: Vec<_> = first.places_of(start_one, one_bytes.len()).collect();
        let others: Vec<_> = second.places_of(start_two, two_bytes.len()).collect();
        if masked(one_bytes, &places) != masked(two_bytes, &others) || places.len() != others.len()
        {
            return Some(false);
        }
        for ((at, place), (other_at, other)) in places.iter().zip(&others) {
            if at != other_at || place.kind != other.kind {
                return Some(false);
            }
            match (&place.to, &other.to) {
                (To::Code(one), To::Code(two)) => left.push((*one, *two)),
                (one, two) if one == two => {}
                _ => return Some(false),
            }
        }
    }
    Some(true)
}

/// The bytes, with nothing where the linker filled something in.
fn masked(bytes: &[u8], places: &[(u64, &Place)]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for (at, place) in places {
        let end = bytes.len().min((*at + place.bytes) as usize);
        bytes[*at as usize..end].fill(0);
    }
    bytes
}

#[cfg(test)]
mod tests;
