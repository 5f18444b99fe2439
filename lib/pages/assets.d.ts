/** Files imported as text: `import page from "../../templates/report.mustache" with { type: "text" }`. */
declare module "*.mustache" {
  const text: string;
  export default text;
}
declare module "*.css" {
  const text: string;
  export default text;
}
