import icon from '../icon.svg'
import { address } from '../router'

export function Brand() {
  return (
    <a class="brand" href={address([])}>
      <Icon /> Catalog
    </a>
  )
}

export const Icon = () => <img src={icon} alt="" width="22" height="22" />
