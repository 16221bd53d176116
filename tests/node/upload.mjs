// node upload.mjs SERVER TOKEN FILE ITEM [UPLOAD]: uploads FILE as the next version of the model ITEM, or goes on with
// UPLOAD. Says `at <address>` once there is an upload, and `done` at the end. With STOP_AT in the environment it stops
// itself, as Ctrl-Z would, once so many bytes are sent.
import { createReadStream, statSync } from 'node:fs'
import { basename } from 'node:path'
import { Upload } from 'tus-js-client'

const [server, token, file, item, known] = process.argv.slice(2)

let stopAt = Number(process.env.STOP_AT ?? Infinity)

const upload = new Upload(createReadStream(file), {
  endpoint: `${server}/v1/uploads`,
  uploadUrl: known ?? null,
  headers: { Authorization: token },
  uploadSize: statSync(file).size,
  chunkSize: 1024 * 1024,
  retryDelays: [100, 200, 400, 800, 1600, 3200, 3200, 3200],
  metadata: { filename: basename(file), kind: 'models', item },
  onUploadUrlAvailable: () => console.log(`at ${upload.url}`),
  onProgress: (sent) => {
    if (sent > stopAt) {
      stopAt = Infinity
      process.kill(process.pid, 'SIGSTOP')
    }
  },
  onError: (error) => {
    console.error(String(error))
    process.exit(1)
  },
  onSuccess: () => {
    console.log('done')
    process.exit() // not waiting for connections on which a part was refused before it was sent whole
  },
})
upload.start()
