/** Everything that people do on the page, in one browser on one server. The order matters: the last one signs out. */
import './pictures.mjs'
import './session.mjs'
import './items.mjs'
import './upload.mjs'
import './comparison.mjs'
import './administration.mjs'
import './views.mjs'
import './leaving.mjs'
