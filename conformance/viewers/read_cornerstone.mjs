// Reads Segmentations with @cornerstonejs/adapters, as OHIF does, and compares every voxel with what was written.
//
//     node read_cornerstone.mjs SOURCE_FOLDER MADE_FOLDER
//
// MADE_FOLDER is what `made_results` wrote: truth/truth.json with the voxels of each segment, and a folder a kind. Asked are
// BINARY and LABELMAP, as written and deflated, LABELMAP in RLE, too; FRACTIONAL is a kind that these adapters refuse, and
// they need planes in the patient. Prints one complaint a line, or nothing; exit 1 when there is one.

import { readFileSync, readdirSync, existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const require = createRequire(join(process.env.PARSENODE_VIEWERS ?? process.cwd(), "package.json"));
const load = (name) => import(pathToFileURL(require.resolve(name)).href);
const dcmjs = (await load("dcmjs")).default;
const { metaData } = await load("@cornerstonejs/core");
const { adaptersSEG } = await load("@cornerstonejs/adapters");

const KINDS = ["binary", "labelmap"];
const FILES = ["segmentation", "segmentation-deflated", "segmentation-rle"];

const bytes = (path) => {
  const file = readFileSync(path);
  return file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength);
};

const readDataset = (path) => {
  const read = dcmjs.data.DicomMessage.readFile(bytes(path));
  return dcmjs.data.DicomMetaDictionary.naturalizeDataset(read.dict);
};

/** What the adapters ask of images, by SOP Instance UID as image id. */
function providerOf(instances) {
  const numbers = (value) => value.map(Number);
  return {
    get(module, id) {
      const data = instances.get(id);
      if (!data) return undefined;
      const orientation = numbers(data.ImageOrientationPatient);
      if (module === "imagePlaneModule") {
        return {
          rows: data.Rows, columns: data.Columns, rowCosines: orientation.slice(0, 3),
          columnCosines: orientation.slice(3), imagePositionPatient: numbers(data.ImagePositionPatient),
          rowPixelSpacing: Number(data.PixelSpacing[0]), columnPixelSpacing: Number(data.PixelSpacing[1]),
          imageOrientationPatient: orientation, frameOfReferenceUID: data.FrameOfReferenceUID,
        };
      }
      if (module === "generalSeriesModule") return { seriesInstanceUID: data.SeriesInstanceUID, modality: data.Modality };
      if (module === "generalImageModule") return { sopInstanceUID: data.SOPInstanceUID };
      return data;
    },
  };
}

/** The number of the segment in each voxel, [k][j][i]. */
function truthOf(folder) {
  const plan = JSON.parse(readFileSync(join(folder, "truth.json"), "utf8"));
  const [columns, rows, slices] = plan.size;
  const labels = new Uint8Array(columns * rows * slices);
  plan.segments.forEach((_, index) => {
    const mask = readFileSync(join(folder, `${index + 1}.raw`));
    mask.forEach((set, voxel) => { if (set) labels[voxel] = index + 1; });
  });
  return { plan, labels };
}

async function check(path, ids, provider, labels) {
  const { createFromDICOMSegBuffer } = adaptersSEG.Cornerstone3D.Segmentation;
  const read = await createFromDICOMSegBuffer(ids, bytes(path), { metadataProvider: provider });
  const size = labels.length / ids.length;
  const found = new Uint8Array(labels.length);
  for (const images of read.labelMapImages) {
    images.forEach((image, k) => {
      const values = image.voxelManager ? image.voxelManager.getScalarData() : image.getPixelData();
      values.forEach((label, pixel) => { if (label) found[k * size + pixel] = label; });
    });
  }
  let wrong = 0;
  labels.forEach((label, voxel) => { if (label !== found[voxel]) wrong += 1; });
  return wrong ? [`${wrong} of ${labels.length} voxels differ`] : [];
}

const [source, made] = process.argv.slice(2);
const { plan, labels } = truthOf(join(made, "truth"));
const files = readdirSync(source).map((name) => readDataset(join(source, name)));
const single = files.every((data) => data.NumberOfFrames === undefined);
const complaints = [];
if (plan.in_patient && single) {
  const instances = new Map(files.map((data) => [data.SOPInstanceUID, data]));
  const ids = plan.slices.map(([uid]) => uid);
  const provider = providerOf(instances);
  metaData.addProvider((module, id) => provider.get(module, id));
  for (const kind of KINDS) {
    for (const file of FILES) {
      const path = join(made, kind, `${file}.dcm`);
      if (!existsSync(path)) continue;
      const name = `${kind}: cornerstone: ${file}`;
      try {
        complaints.push(...(await check(path, ids, provider, labels)).map((text) => `${name}: ${text}`));
      } catch (error) {
        complaints.push(`${name}: ${error.message ?? error}`);
      }
    }
  }
}
complaints.forEach((line) => console.log(line));
process.exit(complaints.length ? 1 : 0);
