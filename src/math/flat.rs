//! The flat parameter vector: one array that holds every tensor row-major, with named views.

/// One named tensor inside the flat vector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Name in the checkpoint's state dict.
    pub name: String,
    /// Shape; the tensor is stored row-major.
    pub shape: Vec<usize>,
    /// Position of its first element in the flat vector.
    pub offset: usize,
}

impl Entry {
    /// Number of elements.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether the tensor has no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The elements' range in the flat vector.
    pub fn range(&self) -> std::ops::Range<usize> {
        self.offset..self.offset + self.len()
    }
}

/// Names, shapes and offsets of all tensors, in the order of the flat vector.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layout {
    entries: Vec<Entry>,
    len: usize,
}

impl Layout {
    /// Append a tensor and return its position in [`Layout::entries`].
    pub fn push(&mut self, name: impl Into<String>, shape: &[usize]) -> usize {
        let entry = Entry { name: name.into(), shape: shape.to_vec(), offset: self.len };
        self.len += entry.len();
        self.entries.push(entry);
        self.entries.len() - 1
    }

    /// All tensors in order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The elements' range of every tensor, in order.
    pub fn ranges(&self) -> Vec<std::ops::Range<usize>> {
        self.entries.iter().map(Entry::range).collect()
    }

    /// The position of a tensor by name.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.entries.iter().position(|e| e.name == name)
    }

    /// Total number of parameters P.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no parameters.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}
