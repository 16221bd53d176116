import { render } from 'preact'
import { App } from './app'
import './styles/colours.css'
import './styles/base.css'
import './styles/parts.css'
import './styles/dialogs.css'
import './styles/tables.css'
import './styles/views.css'
import './styles/find.css'

const root = document.getElementById('page')
if (root) render(<App />, root)
