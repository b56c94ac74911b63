"""Texts that blame the sender, its server or the receiving server, in words that are also said of mailboxes."""

from __future__ import annotations

import pytest

from bounceanalytics.classifying.classify import classify_text

TEXTS = [
    "550 Palvelin ei enää vastaa",
    "550 Serveren er ikke længere tilgængelig",
    "550 Serveren er ikke lenger tilgjengelig",
    "550 El servidor ya no está disponible",
    "550 Este servidor não faz relay para esse domínio",
    "550 Ce serveur ne fait plus relais",
    "550 Сервер больше не работает",
    "550 Сервер вже не працює",
    "550 Server již nepracuje",
    "550 Serwer nie jest już dostępny",
    "550 Relay wordt niet langer toegestaan",
    "550 Die Absenderadresse ist gesperrt",
    "550 Le compte de l'expéditeur est suspendu",
    "550 La cuenta del remitente ha sido suspendida",
    "550 La casella del mittente è stata sospesa",
    "550 A conta do remetente foi suspensa",
    "550 Het account van de afzender is geblokkeerd",
    "550 Konto nadawcy zostało zablokowane",
    "550 Аккаунт отправителя заблокирован",
    "550 Gönderen hesabı askıya alındı",  # noqa: RUF001
    "550 发件人账号已被冻结",
    "550 발신자 계정이 정지되었습니다",
    "550 IPアドレスからの接続を停止しています",
    "550 Impossible de trouver le serveur",
    "550 Não foi possível localizar o servidor",
    "550 Server se nepodařilo najít",
    "550 Nie można odnaleźć serwera",
    "550 Your account has been suspended for sending too much mail",
    "550 The sender's account is disabled",
    "550 The sending user does not exist",
]


@pytest.mark.parametrize("text", TEXTS)
def test_nobody_is_removed_for_what_is_said_of_others(text: str) -> None:
    found = classify_text([text]).iloc[0]
    assert found["action"] != "remove", (found["reason"], found["rule"])
