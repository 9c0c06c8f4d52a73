// Fills in a page as a person would: node fill.mjs CHROMIUM PAGE STEPS [SCREENSHOT [PATH]]
// STEPS is a JSON list of [action, label or path, value]; prints what was saved and what the form found wrong, as JSON.
import { chromium } from "playwright-core";

const [executablePath, path, steps, screenshot, shown] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath,
  args: [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
  ],
});
try {
  const page = await browser.newPage({ viewport: { width: 900, height: 900 } });
  page.setDefaultTimeout(10_000);
  const broken = [];
  page.on("pageerror", (error) => broken.push(String(error)));
  await page.goto(`file://${path}`);
  const act = {
    choose: (label, value) => page.getByLabel(label).selectOption(value),
    fill: (label, value) => page.getByLabel(label).last().fill(value),
    add: (path) => page.locator(`fieldset#root_${path}`).getByTitle("Add").last().click(),
    type: (path, value) => page.locator(`#root_${path}`).fill(value),
    pick: (path, value) => page.locator(`#root_${path}`).selectOption(value),
  };
  for (const [action, label, value] of JSON.parse(steps)) await act[action](label, value);
  const part = shown ? page.locator(`fieldset#root_${shown}`) : page;
  if (screenshot) await part.screenshot({ path: screenshot, ...(shown ? {} : { fullPage: true }) });
  await page.getByRole("button", { name: "Save" }).click();
  const saved = page.locator("#saved");
  const wrong = page.locator(".text-danger");
  await saved.or(wrong.first()).first().waitFor();
  const config = (await saved.count()) ? JSON.parse(await saved.textContent()) : null;
  console.log(JSON.stringify({ config, errors: await wrong.allTextContents(), broken }));
} finally {
  await browser.close();
}
