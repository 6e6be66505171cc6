// Shows a study with parsenode's results in OHIF and takes screenshots.
//
//     node ohif.mjs OHIF_DIST OUT FILES_FOLDER...
//
// OHIF_DIST is the folder `dist` of npm's @ohif/app. A real Orthanc with its DICOMweb plugin gets all files of the folders;
// a small server gives OHIF and Orthanc one origin; headless Chromium opens the study, loads the SEG over the images and
// then the SR. OUT gets ohif-images.png, ohif-seg.png and ohif-sr.png. Exit 1 when the page does not get so far, or when
// the picture with the SEG has no more colour than the one without.

import { spawn } from "node:child_process";
import { createReadStream, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { createRequire } from "node:module";
import { createServer as createSocket } from "node:net";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { inflateSync } from "node:zlib";

const require = createRequire(join(process.env.PARSENODE_VIEWERS ?? process.cwd(), "package.json"));
const puppeteer = require("puppeteer-core");

const [dist, out, ...folders] = process.argv.slice(2);
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".json": "application/json", ".wasm": "application/wasm", ".svg": "image/svg+xml", ".png": "image/png", ".woff2": "font/woff2" };
// Slices from the first to the one that is shown.
const SCROLL = 20;
const WINDOW = { width: 1280, height: 800 };

const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const freePort = () => new Promise((done) => {
  const socket = createSocket().listen(0, "127.0.0.1", () => {
    const { port } = socket.address();
    socket.close(() => done(port));
  });
});

async function startOrthanc(port, dicomPort) {
  const folder = mkdtempSync(join(tmpdir(), "ohif-orthanc-"));
  const plugin = ["/usr/share/orthanc/plugins/libOrthancDicomWeb.so"].find(existsSync);
  writeFileSync(join(folder, "orthanc.json"), JSON.stringify({
    Name: "OHIF", HttpPort: port, DicomPort: dicomPort, RemoteAccessAllowed: false, AuthenticationEnabled: false,
    StorageDirectory: join(folder, "storage"), IndexDirectory: join(folder, "storage"), Plugins: [plugin],
    UnknownSopClassAccepted: true, DicomWeb: { Enable: true, Root: "/dicom-web/" },
  }));
  const child = spawn(existsSync("/usr/sbin/Orthanc") ? "/usr/sbin/Orthanc" : "Orthanc", [join(folder, "orthanc.json")], { stdio: "ignore" });
  for (let tries = 0; tries < 100; tries += 1) {
    try {
      if ((await fetch(`http://127.0.0.1:${port}/system`)).ok) return child;
    } catch { /* not there yet */ }
    await pause(200);
  }
  throw new Error("Orthanc does not answer");
}

async function upload(port, folder) {
  let study;
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) { study = (await upload(port, path)) ?? study; continue; }
    if (!name.endsWith(".dcm")) continue;
    const answer = await fetch(`http://127.0.0.1:${port}/instances`, { method: "POST", body: readFileSync(path) });
    if (!answer.ok) throw new Error(`${path}: Orthanc says ${answer.status}`);
    study = (await answer.json()).ParentStudy ?? study;
  }
  return study;
}

const CONFIG = `window.config = {
  routerBasename: '/', extensions: [], modes: [], showStudyList: false, maxNumberOfWebWorkers: 2,
  showWarningMessageForCrossOrigin: false, showCPUFallbackMessage: false, showLoadingIndicator: true,
  strictZSpacingForVolumeViewport: false, investigationalUseDialog: { option: 'never' },
  defaultDataSourceName: 'dicomweb',
  dataSources: [{ namespace: '@ohif/extension-default.dataSourcesModule.dicomweb', sourceName: 'dicomweb', configuration: {
    friendlyName: 'Orthanc', name: 'orthanc', wadoUriRoot: location.origin + '/dicom-web', qidoRoot: location.origin + '/dicom-web',
    wadoRoot: location.origin + '/dicom-web', qidoSupportsIncludeField: false, imageRendering: 'wadors', thumbnailRendering: 'wadors',
    enableStudyLazyLoad: true, supportsFuzzyMatching: false, supportsWildcard: true, bulkDataURI: { enabled: true },
    omitQuotationForMultipartRequest: true } }],
};`;

function serve(port, orthanc) {
  const server = createServer((incoming, answer) => {
    const path = decodeURIComponent(new URL(incoming.url, "http://x").pathname);
    if (path.startsWith("/dicom-web")) {
      const headers = { ...incoming.headers, host: `127.0.0.1:${port}` };
      const forwarded = request({ host: "127.0.0.1", port: orthanc, path: incoming.url, method: incoming.method, headers }, (from) => {
        answer.writeHead(from.statusCode, from.headers);
        from.pipe(answer);
      });
      forwarded.on("error", () => answer.writeHead(502).end());
      incoming.pipe(forwarded);
      return;
    }
    const headers = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };
    if (path === "/app-config.js") { answer.writeHead(200, { ...headers, "Content-Type": TYPES[".js"] }).end(CONFIG); return; }
    const file = join(dist, path);
    const found = !path.includes("..") && existsSync(file) && statSync(file).isFile() ? file : join(dist, "index.html");
    answer.writeHead(200, { ...headers, "Content-Type": TYPES[extname(found)] ?? "application/octet-stream" });
    createReadStream(found).pipe(answer);
  });
  return new Promise((done) => { server.listen(port, "127.0.0.1", () => done(server)); });
}

/** How many pixels of a PNG (8 bits, RGB or RGBA) are coloured. */
function coloured(png) {
  const [width, height, type] = [png.readUInt32BE(16), png.readUInt32BE(20), png[25]];
  const size = type === 6 ? 4 : 3;
  const parts = [];
  for (let at = 8; at < png.length; at += png.readUInt32BE(at) + 12) {
    if (png.toString("latin1", at + 4, at + 8) === "IDAT") parts.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
  }
  const rows = inflateSync(Buffer.concat(parts));
  const line = width * size;
  const before = new Uint8Array(line);
  let count = 0;
  for (let y = 0; y < height; y += 1) {
    const filter = rows[y * (line + 1)];
    const row = rows.subarray(y * (line + 1) + 1, (y + 1) * (line + 1));
    for (let x = 0; x < line; x += 1) {
      const [left, up, corner] = [x >= size ? row[x - size] : 0, before[x], x >= size ? before[x - size] : 0];
      const guess = left + up - corner;
      const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)];
      const paeth = a <= b && a <= c ? left : b <= c ? up : corner;
      row[x] = (row[x] + [0, left, up, (left + up) >> 1, paeth][filter]) & 255;
      // The corner of this pixel's row is overwritten only behind it.
      if (x >= size) before[x - size] = row[x - size];
    }
    before.set(row);
    for (let x = 0; x < line; x += size) {
      if (Math.max(row[x], row[x + 1], row[x + 2]) - Math.min(row[x], row[x + 1], row[x + 2]) > 40) count += 1;
    }
  }
  return count;
}

async function pictures(page, origin, study) {
  await page.goto(`${origin}/viewer?StudyInstanceUIDs=${study}`, { waitUntil: "domcontentloaded" });
  await page.waitForSelector('[data-cy="study-browser-thumbnail"], [data-cy="study-browser-thumbnail-no-image"]', { timeout: 120000 });
  await page.waitForSelector(".cornerstone-canvas", { timeout: 120000 });
  await pause(10000);
  // The tour that new visitors get.
  await page.evaluate(() => [...document.querySelectorAll("a, button, span")].find((element) => /^skip all$/i.test(element.textContent.trim()))?.click());
  await pause(3000);
  for (let slice = 0; slice < SCROLL; slice += 1) await page.keyboard.press("ArrowDown");
  await pause(3000);
  const shot = async (name) => {
    const path = join(out, name);
    await page.screenshot({ path });
    return coloured(readFileSync(path));
  };
  const without = await shot("ohif-images.png");
  const open = async (modality) => page.evaluate((wanted) => {
    const all = [...document.querySelectorAll('[data-cy^="study-browser-thumbnail"]')];
    const found = all.find((element) => element.textContent.includes(wanted));
    if (!found) return all.map((element) => element.textContent);
    found.dispatchEvent(new MouseEvent("dblclick", { bubbles: true }));
    return true;
  }, modality);
  const say = (what) => { if (what !== true) throw new Error(`no thumbnail among ${JSON.stringify(what)}`); };
  say(await open("SEG"));
  await pause(8000);
  await page.evaluate(() => [...document.querySelectorAll("button")].find((button) => /^(yes|load)$/i.test(button.textContent.trim()))?.click());
  await pause(20000);
  const withSeg = await shot("ohif-seg.png");
  say(await open("SR"));
  await pause(12000);
  await page.evaluate(() => [...document.querySelectorAll("button")].find((button) => /^(yes|load)$/i.test(button.textContent.trim()))?.click());
  await pause(8000);
  await shot("ohif-sr.png");
  return { without, withSeg };
}

mkdirSync(out, { recursive: true });
const [orthancPort, dicomPort, port] = [await freePort(), await freePort(), await freePort()];
const orthanc = await startOrthanc(orthancPort, dicomPort);
let browser; let server; let good = false;
try {
  let id;
  for (const folder of folders) id = (await upload(orthancPort, folder)) ?? id;
  const study = (await (await fetch(`http://127.0.0.1:${orthancPort}/studies/${id}`)).json()).MainDicomTags.StudyInstanceUID;
  server = await serve(port, orthancPort);
  browser = await puppeteer.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", headless: true, defaultViewport: WINDOW,
    args: ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"],
  });
  const page = await browser.newPage();
  page.on("pageerror", (error) => console.log(`page: ${error.message}`));
  const { without, withSeg } = await pictures(page, `http://127.0.0.1:${port}`, study);
  console.log(`coloured pixels: ${without} without the SEG, ${withSeg} with it`);
  good = withSeg > without + 5000;
} finally {
  await browser?.close();
  server?.close();
  orthanc.kill("SIGTERM");
}
process.exit(good ? 0 : 1);
