/**
 * Polynomials over the complex numbers in the Fourier domain of x^n + 1.
 *
 * The order of the floating-point operations is that of Miden's Rust library, so that signing
 * gives the same bytes. Functions return new polynomials unless they say otherwise.
 */
import { ROOTS } from './roots.ts';

export interface ComplexPoly {
  re: Float64Array;
  im: Float64Array;
}

export function zeros(length: number): ComplexPoly {
  return { re: new Float64Array(length), im: new Float64Array(length) };
}

/** Forward transform, in place. */
export function fft(a: ComplexPoly): ComplexPoly {
  const { re, im } = a;
  const n = re.length;
  let half = n;
  for (let blocks = 1; blocks < n; blocks <<= 1) {
    half >>= 1;
    for (let block = 0; block < blocks; block += 1) {
      const rootRe = ROOTS.re[blocks + block]!;
      const rootIm = ROOTS.im[blocks + block]!;
      const start = 2 * block * half;
      for (let j = start; j < start + half; j += 1) {
        const k = j + half;
        const vRe = re[k]! * rootRe - im[k]! * rootIm;
        const vIm = re[k]! * rootIm + im[k]! * rootRe;
        re[k] = re[j]! - vRe;
        im[k] = im[j]! - vIm;
        re[j] = re[j]! + vRe;
        im[j] = im[j]! + vIm;
      }
    }
  }
  return a;
}

/** Inverse transform, in place. */
export function inverseFft(a: ComplexPoly): ComplexPoly {
  const { re, im } = a;
  const n = re.length;
  let half = 1;
  for (let blocks = n >> 1; blocks >= 1; blocks >>= 1) {
    for (let block = 0; block < blocks; block += 1) {
      const rootRe = ROOTS.re[blocks + block]!;
      const rootIm = -ROOTS.im[blocks + block]!;
      const start = 2 * block * half;
      for (let j = start; j < start + half; j += 1) {
        const k = j + half;
        const dRe = re[j]! - re[k]!;
        const dIm = im[j]! - im[k]!;
        re[j] = re[j]! + re[k]!;
        im[j] = im[j]! + im[k]!;
        re[k] = dRe * rootRe - dIm * rootIm;
        im[k] = dRe * rootIm + dIm * rootRe;
      }
    }
    half <<= 1;
  }
  const scale = 1 / n;
  for (let i = 0; i < n; i += 1) {
    re[i] = re[i]! * scale;
    im[i] = im[i]! * scale;
  }
  return a;
}

/** The transform of a polynomial with real coefficients. */
export function transformed(coefficients: ArrayLike<number>): ComplexPoly {
  return fft({ re: Float64Array.from(coefficients), im: new Float64Array(coefficients.length) });
}

export function add(a: ComplexPoly, b: ComplexPoly): ComplexPoly {
  return { re: a.re.map((x, i) => x + b.re[i]!), im: a.im.map((x, i) => x + b.im[i]!) };
}

export function subtract(a: ComplexPoly, b: ComplexPoly): ComplexPoly {
  return { re: a.re.map((x, i) => x - b.re[i]!), im: a.im.map((x, i) => x - b.im[i]!) };
}

export function negate(a: ComplexPoly): ComplexPoly {
  return { re: a.re.map((x) => -x), im: a.im.map((x) => -x) };
}

export function conjugate(a: ComplexPoly): ComplexPoly {
  return { re: a.re.slice(), im: a.im.map((x) => -x) };
}

export function multiply(a: ComplexPoly, b: ComplexPoly): ComplexPoly {
  const product = zeros(a.re.length);
  for (let i = 0; i < a.re.length; i += 1) {
    product.re[i] = a.re[i]! * b.re[i]! - a.im[i]! * b.im[i]!;
    product.im[i] = a.re[i]! * b.im[i]! + a.im[i]! * b.re[i]!;
  }
  return product;
}

export function divide(a: ComplexPoly, b: ComplexPoly): ComplexPoly {
  const quotient = zeros(a.re.length);
  for (let i = 0; i < a.re.length; i += 1) {
    const norm = b.re[i]! * b.re[i]! + b.im[i]! * b.im[i]!;
    quotient.re[i] = (a.re[i]! * b.re[i]! + a.im[i]! * b.im[i]!) / norm;
    quotient.im[i] = (a.im[i]! * b.re[i]! - a.re[i]! * b.im[i]!) / norm;
  }
  return quotient;
}

/** f(x) = even(x^2) + x·odd(x^2): the two halves, each transformed. */
export function split(f: ComplexPoly): [ComplexPoly, ComplexPoly] {
  const half = f.re.length >> 1;
  const even = zeros(half);
  const odd = zeros(half);
  for (let i = 0; i < half; i += 1) {
    const rootRe = 0.5 * ROOTS.re[half + i]!;
    const rootIm = 0.5 * -ROOTS.im[half + i]!;
    const dRe = f.re[2 * i]! - f.re[2 * i + 1]!;
    const dIm = f.im[2 * i]! - f.im[2 * i + 1]!;
    even.re[i] = 0.5 * (f.re[2 * i]! + f.re[2 * i + 1]!);
    even.im[i] = 0.5 * (f.im[2 * i]! + f.im[2 * i + 1]!);
    odd.re[i] = rootRe * dRe - rootIm * dIm;
    odd.im[i] = rootRe * dIm + rootIm * dRe;
  }
  return [even, odd];
}

/** Inverse of `split`. */
export function merge(even: ComplexPoly, odd: ComplexPoly): ComplexPoly {
  const half = even.re.length;
  const f = zeros(2 * half);
  for (let i = 0; i < half; i += 1) {
    const rootRe = ROOTS.re[half + i]!;
    const rootIm = ROOTS.im[half + i]!;
    const pRe = rootRe * odd.re[i]! - rootIm * odd.im[i]!;
    const pIm = rootRe * odd.im[i]! + rootIm * odd.re[i]!;
    f.re[2 * i] = even.re[i]! + pRe;
    f.im[2 * i] = even.im[i]! + pIm;
    f.re[2 * i + 1] = even.re[i]! - pRe;
    f.im[2 * i + 1] = even.im[i]! - pIm;
  }
  return f;
}
