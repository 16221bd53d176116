/** The SHA-256 of files, computed by a worker. */
import { trustedScript } from '../trusted'
import workerUrl from './hash.worker.ts?worker&url'

/** In hexadecimal digits. `onProgress` gets the bytes that were read so far. */
export async function digests(files: File[], onProgress?: (bytes: number) => void): Promise<string[]> {
  const worker = new Worker(trustedScript(workerUrl), { type: 'module' })
  try {
    return await new Promise<string[]>((resolve, reject) => {
      worker.onmessage = ({ data }) => {
        if (data.digests) resolve(data.digests)
        else if (data.error) reject(new Error(data.error))
        else onProgress?.(data.done)
      }
      worker.onerror = (event) => reject(new Error(event.message || 'The file cannot be read.'))
      worker.postMessage(files)
    })
  } finally {
    worker.terminate()
  }
}
