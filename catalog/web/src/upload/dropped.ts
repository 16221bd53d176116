/** The files of a drop or of a file field, with their paths within a dropped folder, in the order of the paths. */
import { inOrder } from '../logic/order'

export interface Found {
  file: File
  path: string
}

/** Files of tools, which are not part of a model. */
export const LEFT_OUT = /(^|\/)(\.git|__pycache__|\.DS_Store|\.ipynb_checkpoints)(\/|$)/

export async function droppedFiles(data: DataTransfer): Promise<Found[]> {
  const entries = [...data.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null)
  const found = await Promise.all(entries.map((entry) => within(entry)))
  return found.flat().sort(byPath)
}

const byPath = (one: Found, other: Found) => inOrder.compare(one.path, other.path)

async function within(entry: FileSystemEntry): Promise<Found[]> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject))
    return [{ file, path: entry.fullPath.replace(/^\//, '') }]
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader()
  const found: Found[] = []
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))
    if (!some.length) return found
    found.push(...(await Promise.all(some.map(within))).flat())
  }
}

export function chosenFiles(files: FileList): Found[] {
  return [...files].map((file) => ({ file, path: file.webkitRelativePath || file.name })).sort(byPath)
}

/** The paths within the folder that all files have in common, as `catalog push folder` has them. */
export function withoutCommonFolder(found: Found[]): Found[] {
  const first = found[0]?.path.split('/')[0]
  const isOne = found.length > 0 && found.every(({ path }) => path.includes('/') && path.split('/')[0] === first)
  return isOne ? found.map(({ file, path }) => ({ file, path: path.slice((first?.length ?? 0) + 1) })) : found
}
