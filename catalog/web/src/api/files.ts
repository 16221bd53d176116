/** The files of a version that has more than its record shows. */
import { api, content, type FileInfo, type Kind } from './client'

const PAGE = 1000

export async function allFiles(
  kind: Kind,
  item: string,
  version: { ordinal: string; file_count: number },
): Promise<FileInfo[]> {
  const at = `/v1/${kind}/{key}/versions/{which}/files` as '/v1/models/{key}/versions/{which}/files'
  const path = { key: item, which: version.ordinal }
  const files: FileInfo[] = []
  for (let page = 1; files.length < version.file_count; page += 1) {
    const found = await content(api.GET(at, { params: { path, query: { page, limit: PAGE } } }))
    if (!found.docs.length) break
    files.push(...found.docs)
  }
  return files
}
