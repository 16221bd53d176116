import { api, content } from '../../api/client'
import { plural, size } from '../../components/format'
import { useLoaded } from '../../components/hooks'
import { Loading, Scroll } from '../../components/parts'
import { address } from '../../router'
import { QuotaWarning } from './quota'

const SHOWN = 20

export function UsageView() {
  const usage = useLoaded((signal) => content(api.GET('/v1/usage', { signal })), [])
  const largest = useLoaded(
    async (signal) => (await content(api.GET('/v1/usage/items', { params: { query: { limit: SHOWN } }, signal }))).docs,
    [],
  )
  return (
    <>
      <h2>Usage</h2>
      <Loading of={usage}>
        {(now) => (
          <>
            <QuotaWarning usage={now} />
            <p>
              <strong>{size(now.bytes)}</strong>{' '}
              {now.quota_bytes ? `of ${size(now.quota_bytes)}` : 'used, without a quota'}
              {now.unfinished_bytes > 0 && `, ${size(now.unfinished_bytes)} of it for unfinished uploads`}
            </p>
            {now.quota_bytes > 0 && (
              <meter
                aria-label="Used of the quota"
                value={now.bytes}
                max={now.quota_bytes}
                high={0.8 * now.quota_bytes}
              />
            )}
            <p class="muted">
              {plural(now.models, 'model')}, {plural(now.datasets, 'dataset')}, {plural(now.algorithms, 'algorithm')} ·{' '}
              {plural(now.versions, 'version')} of {plural(now.blobs, 'distinct file')} · {plural(now.trash, 'item')} in
              the trash · {plural(now.users, 'user')}
            </p>
          </>
        )}
      </Loading>
      <h2>Largest items</h2>
      <Loading of={largest}>
        {(items) => {
          const most = items[0]?.bytes || 1
          return (
            <Scroll label="The largest items">
              <table>
                <thead>
                  <tr>
                    <th>Item</th>
                    <th class="number">Versions</th>
                    <th class="number">Size</th>
                    <th class="bar-cell">
                      <span class="hidden">Compared with the largest</span>
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {items.map((item) => (
                    <tr key={item._id}>
                      <td>
                        {item.removed ? (
                          <a href={address(['trash'])}>{item.name}</a>
                        ) : (
                          <a href={address([item.kind, item._id])}>{item.name}</a>
                        )}{' '}
                        <span class="muted">{item.removed ? 'in the trash' : item.kind.slice(0, -1)}</span>
                      </td>
                      <td class="number">{item.versions}</td>
                      <td class="number">{size(item.bytes)}</td>
                      <td class="bar-cell" aria-hidden="true">
                        <div class="amount" style={{ width: `${Math.max(1, (100 * item.bytes) / most)}%` }} />
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </Scroll>
          )
        }}
      </Loading>
      <p class="muted">Bytes that two versions share are stored once, and count for each of them here.</p>
    </>
  )
}
