// The original's form of the specification: sections in one root element, keys in the sections, all in the original's
// namespace. How the root is called, the public documents do not say: any name will do.

import { SaxesParser } from "saxes";
import {
  type AdataEntries,
  type AdataEntry,
  type AdataProblem,
  isKnownSection,
  sectionsExpected,
} from "./adata-entries.ts";

export const adataNamespace = "http://www.genesyslab.com/standards/icon/ed1";
const namespaceExpected = `xmlns="${adataNamespace}" on the root element`;
const keyExpected = '<key name="…" source="…" history="…"/>';

// In a file that is no specification at all, most of what stands there is wrong: the first lines will do.
const problemsMax = 20;
// Keys are the third level. The parser looks up namespaces through all that is open, so that depth must have a bound.
const depthMax = 16;

/** Enough is known of what is wrong: the rest need not be read. */
class EnoughError extends Error {}

/** The keys in the order in which they stand there. Nothing is fetched, and no entities are expanded but XML's own. */
export function readAdataXml(text: string): AdataEntries {
  const entries: AdataEntry[] = [];
  const problems: AdataProblem[] = [];
  // `position` is what the parser's own messages begin with, and where it stands when an element's name is over.
  const parser = new SaxesParser({ xmlns: true, position: true });
  let place = { line: 1, column: 1 };
  const say = (problem: string, expected: string, at = place) => {
    problems.push({ ...at, problem, expected });
    if (problems.length >= problemsMax) throw new EnoughError();
  };
  const open: string[] = [];
  let isBroken = false;
  parser.on("error", ({ message }) => {
    // What is no XML is said once: all that follows is a guess.
    if (isBroken) return;
    isBroken = true;
    const at = { line: parser.line, column: parser.column + 1 };
    // Their words could repeat what stands in the file, which is no caller's: it is configuration.
    say(
      `the text is not XML here (${message.replace(/^(?:\d+:\d+: )?/, "").replace(/\.$/, "")})`,
      "well-formed XML",
      at,
    );
  });
  parser.on("opentagstart", ({ name }) => {
    place = { line: parser.line, column: Math.max(1, parser.column - name.length - 1) };
  });
  parser.on("xmldecl", ({ encoding }) => {
    if (encoding !== undefined && !/^utf-?8$/i.test(encoding)) {
      say(`the file says that its encoding is "${encoding}"`, "UTF-8, the only one that is read");
    }
  });
  parser.on("opentag", ({ local, uri, attributes }) => {
    if (isBroken) return;
    const depth = open.length;
    if (depth === depthMax) {
      say(`<${local}> stands ${depthMax} elements deep`, keyExpected);
      throw new EnoughError();
    }
    open.push(local);
    if (uri !== adataNamespace) {
      const where = uri === "" ? "in no namespace" : `in the namespace "${uri}"`;
      if (depth === 0) say(`<${local}> is ${where}`, namespaceExpected);
      else if (problems.length === 0) say(`<${local}> is ${where}`, `the namespace "${adataNamespace}"`);
      return;
    }
    if (depth === 1 && !isKnownSection(local)) say(`there is no section <${local}>`, sectionsExpected);
    if (depth < 2) return;
    const section = open[1] ?? "";
    if (!isKnownSection(section)) return;
    if (depth > 2 || local !== "key") return say(`<${local}> stands in <${open[depth - 1]}>`, keyExpected);
    const own = Object.values(attributes).filter(({ uri: each, prefix }) => each === "" && prefix !== "xmlns");
    const said = Object.fromEntries(own.map((each) => [each.local, each.value]));
    entries.push({ section, attributes: said, ...place });
  });
  parser.on("closetag", () => {
    open.pop();
  });
  const refuseText = (written: string) => {
    if (isBroken || written.trim() === "" || open.length === 0) return;
    say(`text stands in <${open.at(-1)}>`, keyExpected, { line: parser.line, column: 1 });
  };
  parser.on("text", refuseText);
  parser.on("cdata", refuseText);
  try {
    parser.write(text.replace(/^\uFEFF/, "")).close();
  } catch (error) {
    if (!(error instanceof EnoughError)) throw error;
  }
  return { entries, problems };
}
