//! The Merkle tree over the log: RFC 6962, section 2.1, with SHA-256. Pure.
//!
//! Only perfect subtrees are ever stored, each with the leaf that completes it: they never change again, whatever is
//! appended. Any other node is a fold of a few of them, so that a proof takes O(log n) reads. Which nodes a proof is
//! made of, and whether one holds, is `ct-merkle`'s to say.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use ct_merkle::{
    ConsistencyProof, InclusionProof, RootHash, indices_for_consistency_proof,
    indices_for_inclusion_proof,
};
use sha2::{Digest, Sha256};

/// SHA-256 of a leaf, a node or a tree.
pub type Hash = [u8; 32];

/// Leaves a tree may have; far from what its numbers can hold.
const MOST_LEAVES: u64 = 1 << 62;

/// A tree at one size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TreeHead {
    /// Leaves.
    pub size: u64,
    pub root: Hash,
}

/// A perfect subtree: of 2^`level` leaves, with `index` such subtrees before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Node {
    pub level: u32,
    pub index: u64,
}

/// Hashes of perfect subtrees.
pub type Nodes = HashMap<Node, Hash>;

/// Hash of a leaf's bytes.
pub fn leaf_hash(bytes: &[u8]) -> Hash {
    Sha256::new()
        .chain_update([0])
        .chain_update(bytes)
        .finalize()
        .into()
}

/// Hash of the node above two others.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new()
        .chain_update([1])
        .chain_update(left)
        .chain_update(right)
        .finalize()
        .into()
}

impl Node {
    /// The leaf that completes it.
    pub fn last_leaf(self) -> u64 {
        ((self.index + 1) << self.level) - 1
    }
}

/// The right edge of a tree: all that is needed to append to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edge {
    size: u64,
    /// The perfect subtrees that are in no larger one, the largest first.
    peaks: Vec<Hash>,
}

impl Edge {
    /// The edge of a tree of `size` leaves, of the nodes that [`peaks`] names; none when one is not there.
    pub fn of(size: u64, nodes: &Nodes) -> Option<Self> {
        let peaks = peaks(size).map(|peak| nodes.get(&peak).copied());
        Some(Self {
            size,
            peaks: peaks.collect::<Option<_>>()?,
        })
    }

    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf. Returns the perfect subtrees that it completes, the leaf itself first.
    pub fn push(&mut self, leaf: Hash) -> Vec<Hash> {
        let mut completed = vec![leaf];
        let mut hash = leaf;
        for _ in 0..self.size.trailing_ones() {
            let left = self.peaks.pop().expect("one peak for each bit of the size");
            hash = node_hash(&left, &hash);
            completed.push(hash);
        }
        self.peaks.push(hash);
        self.size += 1;
        completed
    }

    pub fn head(&self) -> TreeHead {
        TreeHead {
            size: self.size,
            root: fold(&self.peaks).unwrap_or_else(|| Sha256::digest([]).into()),
        }
    }

    /// Its peaks by their places.
    pub fn nodes(&self) -> impl Iterator<Item = (Node, Hash)> {
        peaks(self.size).zip(self.peaks.iter().copied())
    }
}

/// The perfect subtrees that a leaf completes, the leaf itself first.
pub fn completed_by(leaf: u64) -> impl Iterator<Item = Node> {
    (0..=leaf.trailing_ones()).map(move |level| Node {
        level,
        index: leaf >> level,
    })
}

/// The perfect subtrees at the right edge of a tree, the largest first.
pub fn peaks(size: u64) -> impl Iterator<Item = Node> {
    perfect(0..size)
}

/// Nodes of which a proof is made, as ranges of leaves.
#[derive(Clone, Debug)]
pub struct Path(Vec<Range<u64>>);

impl Path {
    /// That leaf `index` is in the tree of `size` leaves: RFC 6962, section 2.1.1. None when there is no such leaf.
    pub fn of_leaf(index: u64, size: u64) -> Option<Self> {
        (index < size && size <= MOST_LEAVES)
            .then(|| Self::of_indices(indices_for_inclusion_proof(size, index), size))
    }

    /// That the tree of `old` leaves is the beginning of the one of `new`: RFC 6962, section 2.1.2. None when the
    /// first is empty or the larger one.
    pub fn between(old: u64, new: u64) -> Option<Self> {
        (0 < old && old <= new && new <= MOST_LEAVES)
            .then(|| Self::of_indices(indices_for_consistency_proof(old, new - old), new))
    }

    /// `indices` number the nodes in order: leaves are even, and as many ones as a number ends with, so many levels is
    /// its node above them (RFC 9420, appendix C).
    fn of_indices(indices: Vec<u64>, size: u64) -> Self {
        let range = |index: u64| {
            let level = index.trailing_ones();
            let start = (index >> level >> 1) << level;
            start..size.min(start + (1 << level))
        };
        Self(indices.into_iter().map(range).collect())
    }

    /// The perfect subtrees it takes.
    pub fn nodes(&self) -> HashSet<Node> {
        self.0.iter().cloned().flat_map(perfect).collect()
    }

    /// The proof; none when `nodes` lacks one of [`Self::nodes`].
    pub fn hashes(&self, nodes: &Nodes) -> Option<Vec<Hash>> {
        let hash = |range: &Range<u64>| {
            let hashes = perfect(range.clone()).map(|node| nodes.get(&node).copied());
            fold(&hashes.collect::<Option<Vec<Hash>>>()?)
        };
        self.0.iter().map(hash).collect()
    }
}

impl TreeHead {
    /// Whether `path` proves that this tree begins with `old`.
    pub fn extends(&self, old: &Self, path: &[Hash]) -> bool {
        let proof = ConsistencyProof::try_from_bytes(path.concat());
        proof.is_ok_and(|proof| {
            self.of_ct()
                .verify_consistency(&old.of_ct(), &proof)
                .is_ok()
        })
    }

    /// Whether `path` proves that the leaf of these bytes is number `index` of this tree.
    pub fn includes(&self, leaf: &[u8], index: u64, path: &[Hash]) -> bool {
        let proof = InclusionProof::try_from_bytes(path.concat());
        proof.is_ok_and(|proof| self.of_ct().verify_inclusion(&leaf, index, &proof).is_ok())
    }

    fn of_ct(&self) -> RootHash<Sha256> {
        RootHash::new(self.root.into(), self.size)
    }
}

/// The largest perfect subtrees that make up a range of leaves, from left to right. The range begins at a multiple of
/// the least power of two that is not less than its length, as every node of a tree does.
fn perfect(range: Range<u64>) -> impl Iterator<Item = Node> {
    let Range { mut start, end } = range;
    std::iter::from_fn(move || {
        let level = end.checked_sub(start)?.checked_ilog2()?;
        let index = start >> level;
        start += 1 << level;
        Some(Node { level, index })
    })
}

/// The node above neighbours, the largest first.
fn fold(hashes: &[Hash]) -> Option<Hash> {
    let (last, before) = hashes.split_last()?;
    let above = |right: Hash, left: &Hash| node_hash(left, &right);
    Some(before.iter().rev().fold(*last, above))
}

#[cfg(test)]
mod tests {
    use ct_merkle::mem_backed_tree::MemoryBackedTree;
    use data_encoding::HEXLOWER;
    use proptest::prelude::*;

    use super::*;

    /// The leaves of Certificate Transparency's own tests.
    const LEAVES: [&[u8]; 8] = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"\x50\x51\x52\x53\x54\x55\x56\x57",
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    ];

    /// Their roots, from the empty tree on.
    const ROOTS: [&str; 9] = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    fn hex(hash: &Hash) -> String {
        HEXLOWER.encode(hash)
    }

    /// The edge and every node after appending the leaves.
    fn grown<'a>(leaves: impl IntoIterator<Item = &'a [u8]>) -> (Edge, Nodes) {
        let (mut edge, mut nodes) = (Edge::default(), Nodes::new());
        for (number, leaf) in (0..).zip(leaves) {
            let completed = edge.push(leaf_hash(leaf));
            nodes.extend(completed_by(number).zip(completed));
        }
        (edge, nodes)
    }

    #[test]
    fn roots_are_those_of_certificate_transparency() {
        for (size, root) in ROOTS.iter().enumerate() {
            let (edge, _) = grown(LEAVES[..size].iter().copied());
            assert_eq!(&hex(&edge.head().root), root, "{size}");
        }
    }

    #[test]
    fn proofs_are_those_of_certificate_transparency() {
        let (_, nodes) = grown(LEAVES);
        let shown = |path: Option<Path>| -> Vec<String> {
            let hashes = path
                .and_then(|path| path.hashes(&nodes))
                .expect("in the tree");
            hashes.iter().map(hex).collect()
        };
        assert_eq!(shown(Path::of_leaf(0, 1)), Vec::<String>::new());
        assert_eq!(
            shown(Path::of_leaf(0, 8)),
            [
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ]
        );
        assert_eq!(
            shown(Path::of_leaf(2, 3)),
            ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]
        );
        assert_eq!(
            shown(Path::of_leaf(1, 5)),
            [
                "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            ]
        );
        assert_eq!(
            shown(Path::between(6, 8)),
            [
                "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ]
        );
        assert_eq!(
            shown(Path::between(2, 5)),
            [
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            ]
        );
    }

    #[test]
    fn what_is_in_no_tree_has_no_proof() {
        assert!(Path::of_leaf(0, 0).is_none() && Path::of_leaf(3, 3).is_none());
        assert!(Path::between(0, 3).is_none() && Path::between(4, 3).is_none());
        assert!(Path::of_leaf(0, u64::MAX).is_none() && Path::between(1, u64::MAX).is_none());
    }

    proptest! {
        #[test]
        fn trees_and_proofs_are_those_of_the_whole_tree_in_memory(
            leaves in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..4), 1..200),
            places in any::<(prop::sample::Index, prop::sample::Index)>(),
        ) {
            let size = leaves.len() as u64;
            let (edge, nodes) = grown(leaves.iter().map(Vec::as_slice));
            let mut whole = MemoryBackedTree::<Sha256, Vec<u8>>::new();
            leaves.iter().for_each(|leaf| whole.push(leaf.clone()));
            let head = edge.head();
            let root = whole.root();
            prop_assert_eq!(root.as_bytes().as_slice(), head.root);
            prop_assert_eq!(Edge::of(size, &nodes), Some(edge));

            let index = places.0.index(leaves.len());
            let path = Path::of_leaf(index as u64, size).expect("in the tree");
            let path = path.hashes(&nodes).expect("all there");
            let expected = whole.prove_inclusion(index);
            prop_assert_eq!(expected.as_bytes(), path.concat());
            prop_assert!(head.includes(&leaves[index], index as u64, &path));
            prop_assert!(!head.includes(b"another leaf", index as u64, &path));

            let old = places.1.index(leaves.len()) as u64 + 1;
            let path = Path::between(old, size).expect("not larger").hashes(&nodes).expect("all there");
            let old = Edge::of(old, &nodes).expect("all there").head();
            prop_assert!(head.extends(&old, &path));
            let other = TreeHead { root: leaf_hash(b"other"), ..old };
            prop_assert!(!head.extends(&other, &path));
        }

        /// A receipt is made of the edge before a batch and what the batch completed, without the database.
        #[test]
        fn the_edge_before_and_what_was_completed_since_prove_every_new_leaf(
            before in 0_u64..300, added in 1_u64..40,
        ) {
            let leaf = |number: u64| leaf_hash(&number.to_be_bytes());
            let mut edge = Edge::default();
            (0..before).for_each(|number| drop(edge.push(leaf(number))));
            let mut nodes: Nodes = edge.nodes().collect();
            for number in before..before + added {
                let completed = edge.push(leaf(number));
                nodes.extend(completed_by(number).zip(completed));
            }
            let head = edge.head();
            for number in before..before + added {
                let path = Path::of_leaf(number, head.size).expect("in the tree");
                let path = path.hashes(&nodes).expect("all there");
                prop_assert!(head.includes(&number.to_be_bytes(), number, &path));
            }
        }
    }
}
