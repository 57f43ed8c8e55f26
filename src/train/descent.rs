//! Steps of training: gradients from the tape, clipped, and AdamW.

use std::sync::Arc;

use candle_core::backprop::GradStore;
use candle_core::{Device, Tensor, Var};
use candle_nn::optim::{AdamW, Optimizer, ParamsAdamW};
use rayon::prelude::*;

use crate::data::sequences::Sequences;
use crate::diff::graph::Graph;
use crate::diff::primitive::Batch;
use crate::diff::share::{Footprint, Share};
use crate::error::{Error, Result};
use crate::math::flat::Layout;
use crate::math::simd;
use crate::model::config::GptConfig;
use crate::model::gpt;

/// Largest 2-norm of the gradient that reaches the optimiser; longer ones are scaled down to it.
const CLIP: f64 = 1.0;

/// AdamW's decay rates of the first and second moments.
const BETAS: (f64, f64) = (0.9, 0.99);

/// One array a parameter, in the order of the layout.
type Tensors = Vec<Vec<f32>>;

/// How a step found things before it moved.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Before {
    /// Mean loss of its rows, nats per token.
    pub loss: f64,
    /// 2-norm of its gradient before clipping.
    pub gradient_norm: f64,
}

/// A model on its way down.
pub(super) struct Descent {
    graph: Graph<f32>,
    rows: Vec<Batch>,
    optimiser: Optimiser,
}

impl Descent {
    /// At the weights `from`, with nothing yet in the optimiser's memory.
    pub(super) fn new(config: &GptConfig, rows: Sequences, from: &[f64], weight_decay: f64) -> Result<Descent> {
        let graph: Graph<f32> = gpt::graph(config, rows.row_len());
        let rows = rows.inputs.into_iter().zip(rows.targets).map(|(inputs, targets)| {
            let length = inputs.len();
            Batch::new(inputs, targets, length)
        });
        let optimiser = Optimiser::new(&graph.layout, from, weight_decay)?;
        Ok(Descent { graph, rows: rows.collect(), optimiser })
    }

    /// One step down the mean loss of the rows with these numbers.
    ///
    /// # Errors
    /// [`Error::NotFinite`] with the loss and the norm of the gradient.
    pub(super) fn step(&mut self, rows: &[usize], rate: f64) -> Result<Before> {
        let batch: Vec<&Batch> = rows.iter().map(|row| &self.rows[*row]).collect();
        let (loss, mut gradient) = mean_gradient(&self.graph, &batch, &self.optimiser.weights()?);
        let gradient_norm = gradient.iter().map(|g| simd::dot(g, g)).sum::<f64>().sqrt();
        if !(loss.is_finite() && gradient_norm.is_finite()) {
            return Err(Error::NotFinite(format!("loss {loss}, gradient norm {gradient_norm}")));
        }
        if gradient_norm > CLIP {
            let scale = (CLIP / gradient_norm) as f32;
            gradient.iter_mut().flatten().for_each(|g| *g *= scale);
        }
        self.optimiser.step(gradient, rate)?;
        Ok(Before { loss, gradient_norm })
    }

    /// The weights, flat; each representable in f32.
    pub(super) fn weights(&self) -> Result<Vec<f64>> {
        Ok(self.optimiser.weights()?.into_iter().flatten().map(f64::from).collect())
    }
}

/// Mean loss of the rows and its gradient. Rows share out the threads; sums run in the order of the rows in f64.
fn mean_gradient(graph: &Graph<f32>, batch: &[&Batch], weights: &Tensors) -> (f64, Tensors) {
    let w: Vec<&[f32]> = weights.iter().map(Vec::as_slice).collect();
    let buffers = || (graph.linearised(batch[0]), graph.scratch(batch[0]));
    let lanes: Vec<(f64, Vec<f32>)> = batch
        .par_iter()
        .map_init(buffers, |(at, scratch), row| {
            let footprint = Footprint::new(&graph.layout, &graph.extents, row);
            let mut gradient = Share::over(Arc::new(footprint), Vec::new());
            graph.linearise(row, &w, at, scratch, &mut gradient);
            (at.losses[0], gradient.to_flat())
        })
        .collect();
    let scale = 1.0 / batch.len() as f64;
    let loss = scale * lanes.iter().map(|(loss, _)| loss).sum::<f64>();
    let element = |i: usize| (scale * lanes.iter().map(|(_, lane)| f64::from(lane[i])).sum::<f64>()) as f32;
    (loss, graph.layout.ranges().into_par_iter().map(|range| range.map(element).collect()).collect())
}

/// AdamW over the tensors of a model: one that decays them and one that does not.
struct Optimiser {
    tensors: Vec<Var>,
    decaying: AdamW,
    plain: AdamW,
}

impl Optimiser {
    fn new(layout: &Layout, from: &[f64], weight_decay: f64) -> Result<Optimiser> {
        let mut tensors = Vec::new();
        let (mut matrices, mut others) = (Vec::new(), Vec::new());
        for entry in layout.entries() {
            let values: Vec<f32> = from[entry.range()].iter().map(|x| *x as f32).collect();
            let var = Var::from_tensor(&Tensor::from_vec(values, entry.shape.clone(), &Device::Cpu)?)?;
            tensors.push(var.clone());
            // Embeddings, scalars and gates have no business near zero.
            let group = if entry.name.starts_with("transformer.h.") { &mut matrices } else { &mut others };
            group.push(var);
        }
        let adam = |weight_decay| ParamsAdamW { lr: 0.0, beta1: BETAS.0, beta2: BETAS.1, eps: 1e-8, weight_decay };
        let (decaying, plain) = (AdamW::new(matrices, adam(weight_decay))?, AdamW::new(others, adam(0.0))?);
        Ok(Optimiser { tensors, decaying, plain })
    }

    fn weights(&self) -> Result<Tensors> {
        self.tensors.iter().map(|var| Ok(var.flatten_all()?.to_vec1()?)).collect()
    }

    fn step(&mut self, gradient: Tensors, rate: f64) -> Result<()> {
        let mut store = GradStore::default();
        for (var, g) in self.tensors.iter().zip(gradient) {
            store.insert(var, Tensor::from_vec(g, var.shape(), &Device::Cpu)?);
        }
        for adam in [&mut self.decaying, &mut self.plain] {
            adam.set_learning_rate(rate);
            adam.step(&store)?;
        }
        Ok(())
    }
}
