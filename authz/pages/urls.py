"""The addresses of the self-service pages."""

from django.urls import path

from authz.pages import connections, home, login, logout, sessions

urlpatterns = [
    path("", home.show, name="home"),
    path("login", login.show, name="login"),
    path("logout", logout.show, name="logout"),
    path("sessions/<int:number>/end", sessions.end, name="end-session"),
    path("connections/end", connections.end_all, name="end-connections"),
    path("connections/<slug:name>/end", connections.end, name="end-connection"),
]
