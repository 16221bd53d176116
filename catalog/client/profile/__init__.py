"""Which server is used, and as which user: from arguments, the environment, a project, and the user's own files."""

from catalog.client.profile.finding import Profile as Profile
from catalog.client.profile.finding import environment_token as environment_token
from catalog.client.profile.finding import find as find
from catalog.client.profile.finding import is_offline as is_offline
from catalog.client.profile.stored import DEFAULT_URL as DEFAULT_URL
from catalog.client.profile.stored import folder as folder
from catalog.client.profile.stored import other_logins as other_logins
from catalog.client.profile.stored import profiles as profiles
from catalog.client.profile.stored import remove_profile as remove_profile
from catalog.client.profile.stored import save_login as save_login
from catalog.client.profile.stored import save_profile as save_profile
from catalog.client.profile.stored import save_token as save_token
from catalog.client.profile.stored import stored_token as stored_token
from catalog.client.profile.stored import use_profile as use_profile
