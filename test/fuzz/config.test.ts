import { expect, test } from "bun:test";
import { configTemplate } from "../../src/config/template.ts";
import { ConfigError, judgeConfig } from "../../src/config.ts";
import { inputsInAll, Mutator } from "./mutator.ts";

const original = Buffer.from(configTemplate.replaceAll(/^#(?=\w[\w-]* = |\[)/gm, ""));

test("a mutated configuration file is a configuration or a list of what is wrong with it", () => {
  const mutator = new Mutator("configuration");
  const verdicts = new Set<string>();
  for (let input = 0; input < inputsInAll * 0.01; input += 1) {
    const text = new TextDecoder().decode(mutator.mutate(original));
    try {
      verdicts.add(typeof judgeConfig(text, "/nowhere/icon.toml").config);
    } catch (error) {
      if (!(error instanceof ConfigError) || error.problems.length === 0) {
        throw new Error(`Neither a configuration nor a ConfigError:\n${text}`, { cause: error });
      }
      verdicts.add("problems");
    }
  }
  expect(verdicts).toContain("problems");
});
