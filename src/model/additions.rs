//! Parts that nanochat's GPT gained over time.

/// What nanochat gained after its first checkpoints. One that lacks all tensors of such a part behaves as if they had
/// their neutral value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Addition {
    ResidualScalars,
    InputScalars,
    Smear,
    Backout,
    ValueEmbeddings,
}

impl Addition {
    pub(super) const ALL: [Addition; 5] = [
        Addition::ResidualScalars,
        Addition::InputScalars,
        Addition::Smear,
        Addition::Backout,
        Addition::ValueEmbeddings,
    ];

    /// Whether a checkpoint with tensors of these names lacks the part whole.
    pub(super) fn is_absent<'a>(self, mut names: impl Iterator<Item = &'a String>) -> bool {
        !names.any(|name| Addition::of(name) == Some(self))
    }

    /// The part a tensor belongs to, if it may be absent.
    pub(super) fn of(name: &str) -> Option<Addition> {
        match name {
            "resid_lambdas" => Some(Addition::ResidualScalars),
            "x0_lambdas" => Some(Addition::InputScalars),
            "smear_lambda" | "smear_gate.weight" => Some(Addition::Smear),
            "backout_lambda" => Some(Addition::Backout),
            _ if name.starts_with("value_embeds.") || name.ends_with(".attn.ve_gate.weight") => {
                Some(Addition::ValueEmbeddings)
            }
            _ => None,
        }
    }

    /// The value under which the part does nothing.
    pub(super) fn neutral(self) -> f64 {
        if self == Addition::ResidualScalars { 1.0 } else { 0.0 }
    }

    pub(super) fn note(self) -> &'static str {
        match self {
            Addition::ResidualScalars => "old checkpoint: no resid_lambdas, ones stand in",
            Addition::InputScalars => "old checkpoint: no x0_lambdas, zeros stand in",
            Addition::Smear => "old checkpoint: smear off",
            Addition::Backout => "old checkpoint: backout off",
            Addition::ValueEmbeddings => {
                "old checkpoint: no value embeddings, zeros stand in (they count as parameters)"
            }
        }
    }
}
