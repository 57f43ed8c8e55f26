//! Documents of parquet shards: the `text` column, read lazily.
//!
//! Shards are read in the order of their names, row group by row group, and nothing is opened before it is needed: what
//! lies behind the documents that were asked for is never touched.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};

use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};

use crate::error::{Error, Result};
use crate::file::refuse_compressed;

/// Name of the column, as in nanochat's shards.
const COLUMN: &str = "text";

/// Documents handed out together. nanochat's loader tokenises as many at once, which decides what lies in its buffer
/// (`tokenizer_batch_size` in `nanochat/dataloader.py`); no batch reaches over the end of a row group.
const BATCH: usize = 128;

/// Some documents.
#[derive(Debug)]
pub struct DocumentBatch {
    /// The shard that they are from.
    pub shard: PathBuf,
    /// Their texts, each as it is stored.
    pub texts: Vec<ByteArray>,
}

/// The documents of one shard or of all shards of a folder.
pub struct Documents {
    left: std::vec::IntoIter<PathBuf>,
    shard: Option<Shard>,
}

impl Documents {
    /// Find the shards; none is read yet.
    ///
    /// # Errors
    /// A path that does not exist; a folder without shards.
    pub fn open(path: &Path) -> Result<Documents> {
        if !path.metadata().map_err(Error::io(path))?.is_dir() {
            return Ok(Documents { left: vec![path.to_owned()].into_iter(), shard: None });
        }
        let entries = path.read_dir().map_err(Error::io(path))?;
        let files = entries.map(|entry| Ok(entry.map_err(Error::io(path))?.path())).collect::<Result<Vec<_>>>()?;
        let is_shard = |file: &PathBuf| file.extension().is_some_and(|e| e == "parquet") && file.is_file();
        let mut shards: Vec<PathBuf> = files.into_iter().filter(is_shard).collect();
        if shards.is_empty() {
            return Err(Error::file(path, "no shards (*.parquet) are in this folder; give the folder that holds them"));
        }
        shards.sort();
        Ok(Documents { left: shards.into_iter(), shard: None })
    }

    /// The next documents; `None` after the last.
    ///
    /// # Errors
    /// A shard that cannot be read, by name.
    pub fn next_batch(&mut self) -> Result<Option<DocumentBatch>> {
        loop {
            if let Some(shard) = &mut self.shard {
                let texts = shard.next_batch()?;
                if !texts.is_empty() {
                    return Ok(Some(DocumentBatch { shard: shard.path.clone(), texts }));
                }
            }
            let Some(path) = self.left.next() else { return Ok(None) };
            self.shard = Some(Shard::open(path)?);
        }
    }
}

/// A shard that is being read.
struct Shard {
    path: PathBuf,
    reader: SerializedFileReader<File>,
    column: usize,
    /// How often the column's definition level must be reached for a text to be there; 0 if it always is.
    optional: i16,
    /// The next row group.
    group: usize,
    open: Option<ColumnReaderImpl<ByteArrayType>>,
}

impl Shard {
    fn open(path: PathBuf) -> Result<Shard> {
        let mut file = File::open(&path).map_err(Error::io(&path))?;
        let mut head = Vec::new();
        file.by_ref().take(8).read_to_end(&mut head).map_err(Error::io(&path))?;
        refuse_compressed(&path, &head)?;
        if !head.starts_with(b"PAR1") {
            return Err(Error::file(&path, "not a parquet file; shards are expected, as nanochat has them"));
        }
        file.rewind().map_err(Error::io(&path))?;
        let reader = SerializedFileReader::new(file).map_err(|e| damaged(&path, "its footer", &e))?;
        let schema = reader.metadata().file_metadata().schema_descr_ptr();
        let found = schema.columns().iter().position(|column| column.path().parts() == [COLUMN]);
        let Some(column) = found else {
            let names: Vec<String> = schema.columns().iter().map(|column| column.path().string()).collect();
            let what = format!("there is no column {COLUMN:?}; its columns are {}", names.join(", "));
            return Err(Error::file(&path, what));
        };
        let optional = schema.column(column).max_def_level();
        Ok(Shard { path, reader, column, optional, group: 0, open: None })
    }

    /// The next texts, none if the shard is at its end. A row without a text is passed over.
    fn next_batch(&mut self) -> Result<Vec<ByteArray>> {
        loop {
            if let Some(column) = &mut self.open {
                let (mut texts, mut levels) = (Vec::with_capacity(BATCH), Vec::new());
                let levels = (self.optional > 0).then_some(&mut levels);
                let read = column.read_records(BATCH, levels, None, &mut texts);
                let (rows, _, _) = read.map_err(|e| self.damaged(self.group - 1, &e))?;
                match rows {
                    0 => self.open = None,
                    _ if texts.is_empty() => (),
                    _ => return Ok(texts),
                }
            } else if self.group < self.reader.num_row_groups() {
                self.open = Some(self.open_group()?);
                self.group += 1;
            } else {
                return Ok(Vec::new());
            }
        }
    }

    fn open_group(&self) -> Result<ColumnReaderImpl<ByteArrayType>> {
        let group = self.reader.get_row_group(self.group);
        match group.and_then(|group| group.get_column_reader(self.column)).map_err(|e| self.damaged(self.group, &e))? {
            ColumnReader::ByteArrayColumnReader(column) => Ok(column),
            _ => Err(Error::file(&self.path, format!("its column {COLUMN:?} holds no texts"))),
        }
    }

    fn damaged(&self, group: usize, e: &ParquetError) -> Error {
        damaged(&self.path, &format!("row group {group}"), e)
    }
}

fn damaged(path: &Path, part: &str, e: &ParquetError) -> Error {
    Error::file(path, format!("{part} cannot be read: {e}; the shard is cut off or damaged, fetch it again"))
}
