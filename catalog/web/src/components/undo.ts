import { isConflict } from '../api/client'
import { sentence } from './hooks'
import { type Answer, notify } from './notices'

/** The button of a notice that takes back what was just saved, unless another user has changed it since. */
export function undoing(takeBack: () => Promise<unknown>, onUndone: () => void): Answer {
  const act = async () => {
    try {
      await takeBack()
      notify('The change is undone.')
    } catch (failure) {
      notify(isConflict(failure) ? 'Another user has changed it since: nothing was undone.' : sentence(failure))
    }
    onUndone()
  }
  return { label: 'Undo', act }
}
