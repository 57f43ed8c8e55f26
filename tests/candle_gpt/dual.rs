//! Dual numbers over candle tensors: every value carries its directional derivative, so that one ordinary backward pass
//! through the derivative gives a Hessian–vector product with first-order autograd only.

use candle_core::{D, Result, Tensor};

/// A value and its derivative along one direction; no derivative means zero.
#[derive(Clone)]
pub struct Dual {
    pub value: Tensor,
    pub tangent: Option<Tensor>,
}

fn sum(a: Option<Tensor>, b: Option<Tensor>) -> Result<Option<Tensor>> {
    Ok(match (a, b) {
        (Some(a), Some(b)) => Some(a.broadcast_add(&b)?),
        (a, b) => a.or(b),
    })
}

impl Dual {
    pub fn constant(value: Tensor) -> Dual {
        Dual { value, tangent: None }
    }

    /// A map that is linear in the tensor: reshapes, slices, sums, lookups, constant factors.
    pub fn linear(&self, f: impl Fn(&Tensor) -> Result<Tensor>) -> Result<Dual> {
        Ok(Dual { value: f(&self.value)?, tangent: self.tangent.as_ref().map(&f).transpose()? })
    }

    /// An element-wise function; `slope` takes x and f(x) to f′(x).
    fn map(
        &self,
        f: impl Fn(&Tensor) -> Result<Tensor>,
        slope: impl Fn(&Tensor, &Tensor) -> Result<Tensor>,
    ) -> Result<Dual> {
        let value = f(&self.value)?;
        let tangent = match &self.tangent {
            Some(t) => Some(slope(&self.value, &value)?.mul(t)?),
            None => None,
        };
        Ok(Dual { value, tangent })
    }

    fn product(&self, other: &Dual, f: impl Fn(&Tensor, &Tensor) -> Result<Tensor>) -> Result<Dual> {
        let left = self.tangent.as_ref().map(|t| f(t, &other.value)).transpose()?;
        let right = other.tangent.as_ref().map(|t| f(&self.value, t)).transpose()?;
        Ok(Dual { value: f(&self.value, &other.value)?, tangent: sum(left, right)? })
    }

    pub fn add(&self, other: &Dual) -> Result<Dual> {
        let tangent = sum(self.tangent.clone(), other.tangent.clone())?;
        Ok(Dual { value: self.value.broadcast_add(&other.value)?, tangent })
    }

    pub fn mul(&self, other: &Dual) -> Result<Dual> {
        self.product(other, |a, b| a.broadcast_mul(b))
    }

    pub fn matmul(&self, other: &Dual) -> Result<Dual> {
        self.product(other, |a, b| a.contiguous()?.matmul(&b.contiguous()?))
    }

    /// x Wᵀ over the last axis, W stored (out, in).
    pub fn linear_map(&self, weight: &Dual) -> Result<Dual> {
        let mut dims = self.value.dims().to_vec();
        let width = dims.pop().unwrap_or(1);
        dims.push(weight.value.dim(0)?);
        let rows = self.linear(|x| x.reshape(((), width)))?;
        rows.matmul(&weight.linear(Tensor::t)?)?.linear(|x| x.reshape(dims.as_slice()))
    }

    pub fn sub(&self, other: &Dual) -> Result<Dual> {
        self.add(&other.scale(-1.0)?)
    }

    pub fn scale(&self, factor: f64) -> Result<Dual> {
        self.linear(|x| x * factor)
    }

    pub fn offset(&self, constant: f64) -> Result<Dual> {
        Ok(Dual { value: (&self.value + constant)?, tangent: self.tangent.clone() })
    }

    pub fn exp(&self) -> Result<Dual> {
        self.map(Tensor::exp, |_, y| Ok(y.clone()))
    }

    pub fn log(&self) -> Result<Dual> {
        self.map(Tensor::log, |x, _| x.recip())
    }

    pub fn sqrt(&self) -> Result<Dual> {
        self.map(Tensor::sqrt, |_, y| y.recip()? * 0.5)
    }

    pub fn recip(&self) -> Result<Dual> {
        self.map(Tensor::recip, |_, y| y.sqr()?.neg())
    }

    pub fn tanh(&self) -> Result<Dual> {
        self.map(Tensor::tanh, |_, y| y.sqr()?.affine(-1.0, 1.0))
    }

    pub fn relu_squared(&self) -> Result<Dual> {
        self.map(|x| x.relu()?.sqr(), |x, _| x.relu()? * 2.0)
    }

    pub fn sigmoid(&self) -> Result<Dual> {
        self.scale(-1.0)?.exp()?.offset(1.0)?.recip()
    }

    /// x / sqrt(mean(x²) + ε) over the last axis.
    pub fn norm(&self, epsilon: f64) -> Result<Dual> {
        let mean = self.mul(self)?.linear(|x| x.mean_keepdim(D::Minus1))?;
        self.mul(&mean.offset(epsilon)?.sqrt()?.recip()?)
    }

    /// log Σ exp over the last axis, kept as an axis of size 1.
    pub fn log_sum_exp(&self) -> Result<Dual> {
        let (shift, shifted) = self.shifted()?;
        let sum = shifted.exp()?.linear(|x| x.sum_keepdim(D::Minus1))?;
        sum.log()?.add(&shift)
    }

    pub fn softmax(&self) -> Result<Dual> {
        let exp = self.shifted()?.1.exp()?;
        let sum = exp.linear(|x| x.sum_keepdim(D::Minus1))?;
        exp.mul(&sum.recip()?)
    }

    /// The maximum over the last axis, as a constant, and the tensor less it.
    fn shifted(&self) -> Result<(Dual, Dual)> {
        let max = Dual::constant(self.value.max_keepdim(D::Minus1)?.detach());
        let shifted = self.sub(&max)?;
        Ok((max, shifted))
    }

    pub fn cat(parts: &[&Dual], axis: usize) -> Result<Dual> {
        let values: Vec<_> = parts.iter().map(|p| &p.value).collect();
        let value = Tensor::cat(&values, axis)?;
        if parts.iter().all(|p| p.tangent.is_none()) {
            return Ok(Dual::constant(value));
        }
        let tangents = parts
            .iter()
            .map(|p| p.tangent.clone().map_or_else(|| p.value.zeros_like(), Ok))
            .collect::<Result<Vec<_>>>()?;
        Ok(Dual { value, tangent: Some(Tensor::cat(&tangents, axis)?) })
    }
}
