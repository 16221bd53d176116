/** Computes the SHA-256 of files, a piece at a time, away from the thread of the page. */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'

addEventListener('message', async ({ data: files }: MessageEvent<File[]>) => {
  const digests: string[] = []
  let done = 0
  for (const file of files) {
    const hash = sha256.create()
    try {
      const reader = file.stream().getReader()
      for (;;) {
        const { value, done: isEnd } = await reader.read()
        if (isEnd) break
        hash.update(value)
        done += value.byteLength
        postMessage({ done })
      }
    } catch (failure) {
      return postMessage({
        error: `${file.name} cannot be read: ${failure instanceof Error ? failure.message : failure}`,
      })
    }
    digests.push(bytesToHex(hash.digest()))
  }
  postMessage({ digests })
})
