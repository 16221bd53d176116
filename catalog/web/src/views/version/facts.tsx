import type { Version } from '../../api/client'
import { plural, size, value } from '../../components/format'
import { When } from '../../components/parts'
import { Username } from '../../components/username'

/** The metadata of a version, and where it came from. */
export function Facts({ version }: { version: Version }) {
  return (
    <section>
      <h2>Facts</h2>
      <dl class="facts">
        {version.metadata.map((pair) => (
          <div key={pair.name}>
            <dt>{pair.name}</dt>
            <dd>{value(pair.value)}</dd>
          </div>
        ))}
        {version.author && (
          <div>
            <dt>Author</dt>
            <dd>{version.author}</dd>
          </div>
        )}
        <div>
          <dt>Added by</dt>
          <dd>
            <Username id={version.owner} />, <When moment={version.timestamp} />
          </dd>
        </div>
        <div>
          <dt>Size</dt>
          <dd>
            {size(version.size)} in {plural(version.file_count, 'file')}
          </dd>
        </div>
        {version.digest && (
          <div>
            <dt>SHA-256</dt>
            <dd>
              <code class="digest">{version.digest}</code>
            </dd>
          </div>
        )}
      </dl>
    </section>
  )
}
