/** Computes the SHA-256 of a file, a piece at a time, away from the thread of the page. */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'

addEventListener('message', async ({ data: file }: MessageEvent<File>) => {
  const hash = sha256.create()
  let done = 0
  try {
    const reader = file.stream().getReader()
    for (;;) {
      const { value, done: isEnd } = await reader.read()
      if (isEnd) break
      hash.update(value)
      done += value.byteLength
      postMessage({ done })
    }
    postMessage({ digest: bytesToHex(hash.digest()) })
  } catch (failure) {
    postMessage({ error: `${file.name} cannot be read: ${failure instanceof Error ? failure.message : failure}` })
  }
})
