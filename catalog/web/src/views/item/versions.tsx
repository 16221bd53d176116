import { useState } from 'preact/hooks'
import { api, type Item, type Kind, listed, type Version } from '../../api/client'
import { usePaged } from '../../components/paged'
import { Problem } from '../../components/parts'
import { ListState, ShowMore } from '../../components/table'
import { orderOf, serverSort } from '../../logic/metrics'
import { address, place } from '../../router'
import { RetentionDialog } from './old-versions'
import { VersionTable } from './version-table'

const FIRST = 100 // versions
const NEXT = 500

export type Row = Omit<Version, 'files'>

interface Props {
  kind: Kind
  item: Item
  mayChange: boolean
  mayManage: boolean
  onChange: () => void
}

export function Versions({ kind, item, mayChange, mayManage, onChange }: Props) {
  const order = orderOf(place.value.query.get('sort'))
  const isLong = item.versionsTotal > FIRST
  const sort = isLong && place.value.query.has('sort') ? serverSort(order) : ''
  const list = usePaged<Row>(
    async (after, signal) => {
      const path = `/v1/${kind}/{key}/versions` as '/v1/models/{key}/versions'
      const query = { limit: after ? NEXT : FIRST, after, ...(sort && { sort }) }
      return listed<Row>(api.GET(path, { params: { path: { key: item._id }, query }, signal }))
    },
    [kind, item._id, item.lastmod, sort],
  )
  const [keeping, setKeeping] = useState(false)
  return (
    <section>
      <h2>Versions</h2>
      <Problem>{list.error}</Problem>
      <ListState list={list} empty="There is no version yet." />
      {mayChange && !list.loading && !list.error && !list.docs.length && (
        <p>
          <a href={address(['upload'], { kind, item: item._id })}>Upload the first one</a>
        </p>
      )}
      {list.docs.length > 0 && (
        <>
          <VersionTable
            kind={kind}
            item={item}
            rows={list.docs}
            isSorted={isLong}
            mayChange={mayChange}
            onChange={onChange}
          />
          <p class="actions">
            <ShowMore list={list} />
            {list.hasMore && (
              <span class="muted">
                {list.docs.length.toLocaleString('en')} of {item.versionsTotal.toLocaleString('en')} are shown.
              </span>
            )}
            {mayManage && (
              <button type="button" class="small" onClick={() => setKeeping(true)}>
                Keep or remove old versions
              </button>
            )}
          </p>
        </>
      )}
      {keeping && (
        <RetentionDialog
          kind={kind}
          item={item}
          onClose={() => setKeeping(false)}
          onChange={() => {
            list.reload()
            onChange()
          }}
        />
      )}
    </section>
  )
}
