"""What may be set of an LDAP directory is looked at when it is saved: filters, names, addresses and certificates."""

from typing import Any

import pytest

from authz.errors import InvalidName
from authz.formats.ldap import parse_authorities, parse_dn, parse_filter, parse_server
from authz.formats.sources import LdapSettings, read
from tests.directory.cast import LDAP
from tests.peers.slapd import certificates


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("(objectClass=inetOrgPerson)", "(objectClass=inetOrgPerson)"),
        ("objectClass=inetOrgPerson", "(objectClass=inetOrgPerson)"),
        ("&(a=b)(c=d)", "(&(a=b)(c=d))"),
        ("(&(a=b)(!(c=d))(|(e=*)(f>=3)(g<=2)(h~=i)))", "(&(a=b)(!(c=d))(|(e=*)(f>=3)(g<=2)(h~=i)))"),
        ("(&\n (a=b)\n (c=d)\n)", "(&\n (a=b)\n (c=d)\n)"),
        ("(userAccountControl:1.2.840.113556.1.4.803:=2)", "(userAccountControl:1.2.840.113556.1.4.803:=2)"),
        (r"(cn=a\28b\29)", r"(cn=a\28b\29)"),
        ("(cn=)", "(cn=)"),
    ],
)
def test_a_filter_is_kept_with_its_parentheses(written, meant):
    assert meant == parse_filter(written)


@pytest.mark.parametrize(
    "written",
    ["", "(", ")", "()", "(a=b", "(a=b))", "(a=b)(c=d)", "((a=b))", "(&)", "(!(a=b)(c=d))", "(=b)", "(a)", r"(a=\zz)",
     "(a=b(c)", "(&" * 100, "(objectClass=", "(a b=c)"],
)  # fmt: skip
def test_what_is_no_filter_is_refused(written):
    with pytest.raises(ValueError, match="filter"):
        parse_filter(written)


@pytest.mark.parametrize(
    "dn",
    ["dc=com", "ou=people,dc=example,dc=com", r"CN=Smith\, Alice+SN=Smith, OU=A=B,DC=x", "2.5.4.3=a,dc=x", "ou=,o=ü"],
)
def test_a_dn_is_pairs_of_attribute_and_value(dn):
    assert dn == parse_dn(dn)


@pytest.mark.parametrize(
    "dn", ["", "people", "ou=a,", ",ou=a", "ou=a,,dc=b", "ou=a;dc=b", 'ou="a"', "ou=a\\", "ou=a\0"]
)
def test_what_is_no_dn_is_refused(dn):
    with pytest.raises(ValueError, match="is not a DN"):
        parse_dn(dn)


@pytest.mark.parametrize(
    "url", ["ldaps://dc1.example.com", "ldap://127.0.0.1:389", "ldaps://[2001:db8::1]:636", "ldaps://h/"]
)
def test_a_server_is_a_host_and_perhaps_a_port(url):
    assert url == parse_server(url)


@pytest.mark.parametrize(
    "url",
    ["ldaps://h:99999", "ldaps://h:0", "ldaps://h:x", "ldaps://[::1", "https://h", "ldaps://", "h", "ldaps://u@h",
     "ldap://a ldap://b", "ldap://a,b", "ldaps://h/dc=x", "ldaps://h?x", "ldaps://h#x", "ldapi://%2Frun"],
)  # fmt: skip
def test_what_is_no_server_is_refused(url):
    with pytest.raises(ValueError, match="is not an address like ldaps://"):
        parse_server(url)


@pytest.mark.parametrize(
    ("pem", "words"),
    [
        ("certificate", "no certificate"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "no certificate"),
        ("Zertifikat für uns", "no certificate"),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "private key"),
    ],
)
def test_what_is_no_authority_is_refused(pem, words):
    with pytest.raises(ValueError, match=words):
        parse_authorities(pem)


def test_authorities_are_kept_without_what_stands_between_them(tmp_path):
    certificates(tmp_path, ["127.0.0.1"], days=1)
    pem = (tmp_path / "ca.pem").read_text()
    kept = parse_authorities(f"Subject: Autorité de certification\n{pem}\n# another one\n{pem}")
    assert (2 * pem).split() == kept.split()
    assert kept == parse_authorities(kept)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"urls": ["ldap://h:99999"]}, "urls.0: "),
        ({"ca": "x"}, "ca: it holds no certificate"),
        ({"people_filter": "x"}, "people_filter: "),
        ({"groups_filter": "(x"}, "groups_filter: "),
        ({"people_base": "x"}, "people_base: "),
        ({"groups_base": "x"}, "groups_base: "),
        ({"bind_dn": "x"}, "bind_dn: "),
        ({"disabled_attribute": "x)("}, "disabled_attribute: "),
        ({"login_attributes": ["mail", "(uid"]}, "login_attributes.1: "),
        ({"tls": "none"}, "tls: without TLS, passwords would travel to ldaps://ldap.example.com in the clear"),
    ],
)
def test_what_is_wrong_is_named_by_its_setting(settings: dict[str, Any], words):
    with pytest.raises(InvalidName, match=words):
        read(LdapSettings, LDAP | settings)


@pytest.mark.parametrize("name", ["reader@corp.example.com", "CORP\\reader", "cn=reader,dc=x", ""])
def test_active_directory_is_read_by_names_that_are_no_dns(name):
    assert name == read(LdapSettings, LDAP | {"flavour": "ad", "bind_dn": name}).bind_dn
