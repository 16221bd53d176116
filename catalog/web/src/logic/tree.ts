/** Files as a tree of folders. */

export interface Sized {
  path: string
  size: number
}

export interface Folder<T extends Sized> {
  name: string
  path: string
  folders: Folder<T>[]
  files: T[]
  /** Of all files in it, however deep. */
  count: number
  size: number
}

/** The folders of some files. A chain of folders that hold nothing else is one folder. */
export function folderOf<T extends Sized>(files: T[]): Folder<T> {
  const root = empty<T>('', '')
  const known = new Map([['', root]])
  for (const file of files) {
    const parts = file.path.split('/')
    let folder = root
    count(folder, file)
    for (let depth = 1; depth < parts.length; depth += 1) {
      const path = parts.slice(0, depth).join('/')
      let next = known.get(path)
      if (!next) {
        next = empty<T>(parts[depth - 1] as string, path)
        known.set(path, next)
        folder.folders.push(next)
      }
      folder = next
      count(folder, file)
    }
    folder.files.push(file)
  }
  return { ...root, folders: root.folders.map(joined) }
}

const empty = <T extends Sized>(name: string, path: string): Folder<T> => ({
  name,
  path,
  folders: [],
  files: [],
  count: 0,
  size: 0,
})

function count<T extends Sized>(folder: Folder<T>, file: T): void {
  folder.count += 1
  folder.size += file.size
}

function joined<T extends Sized>(folder: Folder<T>): Folder<T> {
  const [only] = folder.folders
  if (only && folder.folders.length === 1 && !folder.files.length) {
    const below = joined(only)
    return { ...below, name: `${folder.name}/${below.name}` }
  }
  return { ...folder, folders: folder.folders.map(joined) }
}
