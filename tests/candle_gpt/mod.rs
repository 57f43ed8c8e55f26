//! nanochat's GPT in ordinary candle operations: the oracle that the tape is tested against. Written for plainness, from
//! the model's definition alone, and sharing nothing with the program but the configuration.
#![allow(dead_code, reason = "each test program uses a part")]

mod dual;

use std::collections::HashMap;

use candle_core::{DType, Device, Result, Tensor, Var};
use dual::Dual;
use eigentop::math::flat::Layout;
use eigentop::model::config::GptConfig;

const EPSILON: f64 = 1.0 / 8_388_608.0;
const ROTARY_BASE: f64 = 100_000.0;

/// A model together with the sequences its losses are taken on, all of one length.
pub struct CandleGpt {
    config: GptConfig,
    layout: Layout,
    dtype: DType,
    /// (sequences × tokens), and the same of targets.
    inputs: Tensor,
    targets: Tensor,
}

impl CandleGpt {
    pub fn new(config: &GptConfig, dtype: DType, inputs: &[Vec<u32>], targets: &[Vec<u32>]) -> Result<CandleGpt> {
        let tensor = |rows: &[Vec<u32>]| Tensor::from_vec(rows.concat(), (rows.len(), rows[0].len()), &Device::Cpu);
        let (inputs, targets) = (tensor(inputs)?, tensor(targets)?);
        Ok(CandleGpt { config: config.clone(), layout: config.layout(), dtype, inputs, targets })
    }

    /// Mean next-token cross-entropy of each sequence, in nats per token.
    pub fn losses(&self, parameters: &[f64]) -> Result<Vec<f64>> {
        let (_, duals) = self.duals(parameters, None)?;
        self.forward(&duals)?.value.to_dtype(DType::F64)?.to_vec1()
    }

    /// Gradient of the mean of all sequence losses, flat in layout order.
    pub fn gradient(&self, parameters: &[f64]) -> Result<Vec<f64>> {
        let (vars, duals) = self.duals(parameters, None)?;
        self.backward(&vars, &self.forward(&duals)?.value.mean_all()?)
    }

    /// Hessian of the mean of all sequence losses times `direction`, flat in layout order.
    pub fn hvp(&self, parameters: &[f64], direction: &[f64]) -> Result<Vec<f64>> {
        let (vars, duals) = self.duals(parameters, Some(direction))?;
        let slope = self.forward(&duals)?.tangent.expect("every parameter has a tangent");
        self.backward(&vars, &slope.mean_all()?)
    }

    /// The gradient of `scalar` by the variables, flat.
    fn backward(&self, vars: &[Var], scalar: &Tensor) -> Result<Vec<f64>> {
        let gradients = scalar.backward()?;
        let mut flat = Vec::with_capacity(self.layout.len());
        for var in vars {
            match gradients.get(var.as_tensor()) {
                Some(g) => flat.extend(g.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>()?),
                None => flat.extend(std::iter::repeat_n(0.0, var.elem_count())),
            }
        }
        Ok(flat)
    }

    fn duals(&self, parameters: &[f64], direction: Option<&[f64]>) -> Result<(Vec<Var>, HashMap<&str, Dual>)> {
        let cut = |flat: &[f64], e: &eigentop::math::flat::Entry| {
            Tensor::from_slice(&flat[e.range()], e.shape.as_slice(), &Device::Cpu)?.to_dtype(self.dtype)
        };
        let mut vars = Vec::new();
        let mut duals = HashMap::new();
        for entry in self.layout.entries() {
            let var = Var::from_tensor(&cut(parameters, entry)?)?;
            let tangent = direction.map(|flat| cut(flat, entry)).transpose()?;
            duals.insert(entry.name.as_str(), Dual { value: var.as_tensor().clone(), tangent });
            vars.push(var);
        }
        Ok((vars, duals))
    }

    /// The losses of all sequences.
    fn forward(&self, weights: &HashMap<&str, Dual>) -> Result<Dual> {
        let c = &self.config;
        let tokens = self.inputs.dim(1)?;
        let embed = |name: &str| -> Result<Dual> {
            let width = weights[name].value.dim(1)?;
            let (rows, tokens) = self.inputs.dims2()?;
            weights[name].linear(|w| w.index_select(&self.inputs.flatten_all()?, 0)?.reshape((rows, tokens, width)))
        };
        let scalar = |name: &str, i: usize| weights[name].linear(|w| w.narrow(0, i, 1));

        let embedded = embed("transformer.wte.weight")?.norm(EPSILON)?;
        let mut x = embedded.clone();
        if tokens > 1 {
            let later = embedded.linear(|x| x.narrow(1, 1, tokens - 1))?;
            let earlier = embedded.linear(|x| x.narrow(1, 0, tokens - 1))?;
            let gate = later.linear(|x| x.narrow(2, 0, 24))?.linear_map(&weights["smear_gate.weight"])?.sigmoid()?;
            let smeared = later.add(&earlier.mul(&gate.mul(&scalar("smear_lambda", 0)?)?)?)?;
            x = Dual::cat(&[&embedded.linear(|x| x.narrow(1, 0, 1))?, &smeared], 1)?;
        }
        let x0 = x.clone();
        let mut mid = x.clone();
        for layer in 0..c.n_layer {
            let weight = |name: &str| &weights[format!("transformer.h.{layer}.{name}.weight").as_str()];
            x = x.mul(&scalar("resid_lambdas", layer)?)?.add(&x0.mul(&scalar("x0_lambdas", layer)?)?)?;
            let u = x.norm(EPSILON)?;
            let mut v = self.heads(&u.linear_map(weight("attn.c_v"))?)?;
            // Value embeddings sit in every other layer, the last one among them.
            if layer % 2 == (c.n_layer - 1) % 2 {
                let gate =
                    u.linear(|u| u.narrow(2, 0, 12))?.linear_map(weight("attn.ve_gate"))?.sigmoid()?.scale(3.0)?;
                let extra = self.heads(&embed(&format!("value_embeds.{layer}.weight"))?)?;
                v = v.add(&extra.mul(&gate.linear(|g| g.transpose(1, 2)?.unsqueeze(3))?)?)?;
            }
            let q = self.position(&self.heads(&u.linear_map(weight("attn.c_q"))?)?)?;
            let k = self.position(&self.heads(&u.linear_map(weight("attn.c_k"))?)?)?;
            let mixed = self.attend(&q, &k, &v, layer)?;
            x = x.add(&mixed.linear_map(weight("attn.c_proj"))?)?;
            let hidden = x.norm(EPSILON)?.linear_map(weight("mlp.c_fc"))?.relu_squared()?;
            x = x.add(&hidden.linear_map(weight("mlp.c_proj"))?)?;
            if layer == c.n_layer / 2 {
                mid = x.clone();
            }
        }
        let x = x.sub(&mid.mul(&scalar("backout_lambda", 0)?)?)?.norm(EPSILON)?;
        let logits = x.linear_map(&weights["lm_head.weight"])?.linear(|z| z.narrow(2, 0, c.vocab_size))?;
        let logits = logits.scale(1.0 / 15.0)?.tanh()?.scale(15.0)?;
        let chosen = logits.linear(|z| z.contiguous()?.gather(&self.targets.unsqueeze(2)?, 2))?;
        logits.log_sum_exp()?.sub(&chosen)?.linear(|x| x.squeeze(2)?.mean(1))
    }

    /// (rows, tokens, heads · h) to (rows, heads, tokens, h).
    fn heads(&self, x: &Dual) -> Result<Dual> {
        let (rows, tokens, width) = x.value.dims3()?;
        let h = self.config.n_embd / self.config.n_head;
        x.linear(|x| x.reshape((rows, tokens, width / h, h))?.transpose(1, 2)?.contiguous())
    }

    /// Rotary embedding, then 1.2 · norm, of queries or keys.
    fn position(&self, x: &Dual) -> Result<Dual> {
        let (_, _, tokens, h) = x.value.dims4()?;
        let angle = |i: usize| (i / (h / 2)) as f64 * ROTARY_BASE.powf(-2.0 * (i % (h / 2)) as f64 / h as f64);
        let table = |f: fn(f64) -> f64| {
            let values: Vec<f64> = (0..tokens * h / 2).map(|i| f(angle(i))).collect();
            Tensor::from_vec(values, (tokens, h / 2), &Device::Cpu)?.to_dtype(self.dtype).map(Dual::constant)
        };
        let (cos, sin) = (table(f64::cos)?, table(f64::sin)?);
        let (first, second) = (x.linear(|x| x.narrow(3, 0, h / 2))?, x.linear(|x| x.narrow(3, h / 2, h / 2))?);
        let turned_first = first.mul(&cos)?.add(&second.mul(&sin)?)?;
        let turned_second = second.mul(&cos)?.sub(&first.mul(&sin)?)?;
        Dual::cat(&[&turned_first, &turned_second], 3)?.norm(EPSILON)?.scale(1.2)
    }

    /// Causal, windowed attention; heads joined again to (rows, tokens, C).
    fn attend(&self, q: &Dual, k: &Dual, v: &Dual, layer: usize) -> Result<Dual> {
        let c = &self.config;
        let (rows, heads, tokens, h) = q.value.dims4()?;
        let group = heads / k.value.dim(1)?;
        // Query heads g·group … g·group + group − 1 read key and value head g.
        let shared = |x: &Dual| {
            x.linear(|x| {
                let kv = x.dim(1)?;
                x.unsqueeze(2)?.broadcast_as((rows, kv, group, tokens, h))?.reshape((rows, heads, tokens, h))
            })
        };
        let short = c.sequence_len.div_ceil(512) * 128;
        let letter = c.window_pattern.as_bytes()[layer % c.window_pattern.len()];
        let window = if letter == b'S' && layer + 1 < c.n_layer { short } else { c.sequence_len };
        let seen = |i: usize| {
            let (t, s) = (i / tokens, i % tokens);
            if s <= t && t - s <= window { 0.0 } else { f64::NEG_INFINITY }
        };
        let mask: Vec<f64> = (0..tokens * tokens).map(seen).collect();
        let mask = Dual::constant(Tensor::from_vec(mask, (tokens, tokens), &Device::Cpu)?.to_dtype(self.dtype)?);
        let scores = q.matmul(&shared(k)?.linear(|k| k.transpose(2, 3))?)?.scale(1.0 / (h as f64).sqrt())?;
        let mixed = scores.add(&mask)?.softmax()?.matmul(&shared(v)?)?;
        mixed.linear(|x| x.transpose(1, 2)?.contiguous()?.reshape((rows, tokens, heads * h)))
    }
}
