import { useEffect, useState } from 'preact/hooks'
import { username } from '../api/lookups'

export function Username({ id }: { id: string }) {
  const [name, setName] = useState('')
  useEffect(() => {
    username(id).then(setName, () => setName(id))
  }, [id])
  return <>{name || '…'}</>
}
