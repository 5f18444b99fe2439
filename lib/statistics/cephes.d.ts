/** The functions of cephes that are used: its own types are out of reach of the way its package.json exports them. */
declare module "cephes" {
  /** Complementary error function. */
  export function erfc(x: number): number;
  /** Regularized lower incomplete gamma function. */
  export function igam(shape: number, x: number): number;
  /** Regularized upper incomplete gamma function. */
  export function igamc(shape: number, x: number): number;
  /** Regularized incomplete beta function. */
  export function incbet(a: number, b: number, x: number): number;
}
