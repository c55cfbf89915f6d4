"""The addresses of the self-service pages."""

from django.urls import path

from authz.pages import connections, home, login, logout, sessions
from authz.pages.oidc import backchannel, begin, callback
from authz.pages.oidc import logout as oidc_logout

urlpatterns = [
    path("", home.show, name="home"),
    path("login", login.show, name="login"),
    path("logout", logout.show, name="logout"),
    path("oidc/<slug:name>/begin", begin.begin, name="oidc-begin"),
    path("oidc/<slug:name>/callback", callback.callback, name="oidc-callback"),
    path("oidc/<slug:name>/signed-out", oidc_logout.signed_out, name="oidc-signed-out"),
    path("oidc/<slug:name>/backchannel-logout", backchannel.logout, name="oidc-backchannel-logout"),
    path("sessions/<int:number>/end", sessions.end, name="end-session"),
    path("connections/end", connections.end_all, name="end-connections"),
    path("connections/<slug:name>/end", connections.end, name="end-connection"),
]
