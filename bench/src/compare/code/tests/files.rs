//! Programs as files: ELF of 64 bits, with one section of code and one of data.

use super::*;

const BASE: u64 = 0x800;
const TEXT: u64 = 0x1000;
const DATA: u64 = 0x2000;
const X86_64: u16 = 62;
/// Code whose bytes all differ.
const CODE: [u8; 32] = {
    let mut code = [0; 32];
    let mut at = 0;
    while at < code.len() {
        code[at] = at as u8 + 1;
        at += 1;
    }
    code
};

/// Types of symbols, and the sections that they are in.
const UNKNOWN: u8 = 0;
const OBJECT: u8 = 1;
const FUNCTION: u8 = 2;
const IN_TEXT: u16 = 1;
const IN_DATA: u16 = 2;
const UNDEFINED: u16 = 0;

/// A symbol: its type, its section, where it lies, its length. All have one name.
type Symbol = (u8, u16, u64, u64);
/// A place: where it is, its kind, the symbol that it leads to, what is added.
type Relocation = (u64, u32, u64, i64);

/// Two functions, a variable, something of a library, and a function without bytes.
const SYMBOLS: [Symbol; 5] = [
    (FUNCTION, IN_TEXT, TEXT, 16),
    (FUNCTION, IN_TEXT, TEXT + 16, 8),
    (OBJECT, IN_DATA, DATA, 8),
    (UNKNOWN, UNDEFINED, 0, 0),
    (FUNCTION, IN_TEXT, TEXT + 24, 0),
];
/// Relative to the second function, to the variable, to the library; an address of eight bytes; and
/// one of four that is counted from the beginning of the section.
const OF_TEXT: [Relocation; 5] = [
    (TEXT + 1, 4, 2, -4),
    (TEXT + 6, 2, 3, -4),
    (TEXT + 11, 9, 4, -4),
    (TEXT + 16, KIND_64, 1, 3),
    (26, 10, 2, 2),
];

fn symbol((kind, section, value, size): Symbol) -> Vec<u8> {
    let head = [1, 0, 0, 0, kind, 0].into_iter().chain(section.to_le_bytes());
    head.chain(value.to_le_bytes()).chain(size.to_le_bytes()).collect()
}

fn relocation((at, kind, symbol, more): Relocation) -> Vec<u8> {
    let info = symbol << 32 | u64::from(kind);
    [at.to_le_bytes(), info.to_le_bytes(), more.to_le_bytes()].concat()
}

fn elf(machine: u16, symbols: &[Symbol], of_text: &[Relocation]) -> Vec<u8> {
    let none = (UNKNOWN, UNDEFINED, 0, 0);
    let symbols = std::iter::once(&none).chain(symbols);
    // The variable leads to the first function.
    let of_data = relocation((DATA, KIND_64, 1, 0));
    // Each with its type, its flags, its address, its two links, and the length of an entry.
    let sections: [([u64; 6], Vec<u8>); 7] = [
        ([0; 6], vec![]),
        ([1, 6, TEXT, 0, 0, 0], CODE.to_vec()),
        ([1, 3, DATA, 0, 0, 0], vec![0; 16]),
        ([4, 0, 0, 5, 1, 24], of_text.iter().flat_map(|one| relocation(*one)).collect()),
        ([4, 0, 0, 5, 2, 24], of_data),
        ([2, 0, 0, 6, 1, 24], symbols.flat_map(|one| symbol(*one)).collect()),
        ([3, 0, 0, 0, 0, 0], b"\0memcpy\0".to_vec()),
    ];
    let (mut bodies, mut headers) = (Vec::new(), Vec::new());
    for ([kind, flags, address, link, info, entry], body) in sections {
        let at = (64 + 56 + bodies.len()) as u64;
        let words = |two: [u64; 2]| two.map(|word| (word as u32).to_le_bytes()).concat();
        headers.extend(words([0, kind]));
        for long in [flags, address, at, body.len() as u64] {
            headers.extend(long.to_le_bytes());
        }
        headers.extend(words([link, info]));
        headers.extend([1_u64, entry].map(u64::to_le_bytes).concat());
        bodies.extend(body);
    }
    let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    file.extend([2, machine].map(u16::to_le_bytes).concat());
    file.extend(1_u32.to_le_bytes());
    file.extend([TEXT, 64, (64 + 56 + bodies.len()) as u64].map(u64::to_le_bytes).concat());
    file.extend([0; 4]);
    file.extend([64_u16, 56, 1, 64, 7, 6].map(u16::to_le_bytes).concat());
    // One segment, which is loaded.
    file.extend([1_u32, 5].map(u32::to_le_bytes).concat());
    file.extend([0, BASE, BASE, 64, 64, 1].map(u64::to_le_bytes).concat());
    [file, bodies, headers].concat()
}

fn read(bytes: &[u8]) -> Option<Code> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("program");
    std::fs::write(&path, bytes).expect("written");
    Code::read(&path)
}

#[test]
fn functions_and_places_are_read_from_the_file() {
    let code = read(&elf(X86_64, &SYMBOLS, &OF_TEXT)).expect("a program");
    assert_eq!(code.base, BASE);
    let functions = [(TEXT, CODE[..16].to_vec()), (TEXT + 16, CODE[16..24].to_vec())];
    assert_eq!(code.functions, BTreeMap::from(functions));
    let place = |bytes, kind, to| Place { bytes, kind, to };
    let places = [
        (TEXT + 1, place(4, 4, To::Code(TEXT + 16))),
        (TEXT + 6, place(4, 2, To::Data)),
        (TEXT + 11, place(4, 9, To::Library("memcpy".to_owned()))),
        (TEXT + 16, place(8, KIND_64, To::Code(TEXT + 3))),
        (TEXT + 26, place(4, 10, To::Code(TEXT + 18))),
    ];
    assert_eq!(code.places, BTreeMap::from(places));
    assert_eq!(same(&code, &code, [TEXT - BASE; 2]), Some(true));
}

#[test]
fn another_machine_and_a_program_without_functions_or_places_say_nothing() {
    let none = [
        elf(183, &SYMBOLS, &OF_TEXT),
        elf(X86_64, &SYMBOLS, &[]),
        elf(X86_64, &[(OBJECT, IN_TEXT, TEXT, 16)], &[(TEXT + 1, 4, 1, -4)]),
        b"no program".to_vec(),
    ];
    assert!(none.iter().all(|bytes| read(bytes).is_none()));
}
