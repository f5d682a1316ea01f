"""Sentences for synthetic speakers, from word lists written for this package."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ....core.errors import CorpusError

Slots = Mapping[str, tuple[str, ...]]
"""Words by slot; the slot ``patterns`` holds the sentences, with slots in braces. ``{number}`` is 0 to 9999."""


def _words(**lists: str) -> Slots:
    return {name: tuple(part.strip() for part in text.split(",")) for name, text in lists.items()}


ENGLISH = _words(
    patterns="{verb} {color} {preposition} {letter} {digit} {adverb},the {adjective} {noun} {moves} {place},"
    "my {person} {likes} the {adjective} {noun},{number} {nouns} and {digit} more,do you see the {noun} {place}?,"
    "{person} and I {went} {place},{adverb} we need {number} {nouns},why is the {noun} so {adjective}?,"
    "I have never heard of a {adjective} {noun},please call {number} {number}",
    verb="bin,lay,place,set,move,bring,paint,wave",
    color="blue,green,red,white,brown,purple,yellow",
    preposition="at,by,in,with,above,below",
    letter="A,B,C,D,E,F,G,H,I,J,K,L,M,N,O,P,Q,R,S,T,U,V,X,Y,Z",
    digit="zero,one,two,three,four,five,six,seven,eight,nine",
    adverb="again,now,please,soon,maybe,today",
    adjective="old,broken,happy,warm,quiet,heavy,beautiful,famous,empty,huge,sharp,smooth,foolish,brave",
    noun="boat,window,fish,paper,mountain,bicycle,teapot,umbrella,garden,village,piano,robot,map,voice,pocket",
    nouns="apples,boxes,birds,shoes,pebbles,lamps,people,coffee cups,thumbs,maps,waves",
    person="mother,father,brother,uncle,baby,teacher,doctor,neighbor,friend,boss",
    moves="moves slowly,fell over,stands still,jumps about,broke,swims by,opened up,vanished",
    place="over there,behind the house,under the bridge,near the pub,in the fog,on top of the shelf,by the shore",
    likes="likes,forgot,bought,wants to measure,paid for,found,improved,gave away",
    went="walked,went,drove,swam,moved,ran",
)

GERMAN = _words(
    patterns="{verb} {color} {preposition} {letter} {digit} {adverb},{noun} {moves} {place},"
    "mein {person} {likes} {object},{number} {nouns} und {digit} mehr,siehst du {object} {place}?,"
    "{adverb} brauchen wir {number} {nouns},warum ist {noun} so {adjective}?,die Nummer ist {number} {number}",
    verb="leg,setz,schieb,bring,mal,wirf",
    color="blau,grün,rot,weiß,braun,lila,gelb",
    preposition="bei,auf,in,mit,über,unter,vor",
    letter="A,B,C,D,E,F,G,H,I,J,K,L,M,N,O,P,Q,R,S,T,U,V,W,Z",
    digit="null,eins,zwei,drei,vier,fünf,sechs,sieben,acht,neun",
    adverb="heute,bitte,jetzt,bald,vielleicht,morgen",
    adjective="alt,müde,fröhlich,warm,still,schwer,schön,berühmt,leer,böse,hübsch",
    noun="das Boot,der Fisch,die Puppe,der Berg,das Fahrrad,die Lampe,der Apfel,das Buch,die Maus,der Ofen",
    object="das Boot,den Fisch,die Puppe,den Berg,das Fahrrad,die Lampe,den Apfel,das Buch,die Maus,den Ofen",
    nouns="Äpfel,Bücher,Vögel,Schuhe,Lampen,Pilze,Boote,Pferde,Wolken",
    person="Vater,Bruder,Onkel,Lehrer,Freund,Nachbar",
    moves="fällt um,steht still,bewegt sich,schwimmt vorbei,ist kaputt,verschwindet",
    place="dort oben,hinter dem Haus,unter der Brücke,im Nebel,auf dem Markt,am Ufer",
    likes="mag,vergisst,kauft,bezahlt,findet,öffnet",
)

FRENCH = _words(
    patterns="{verb} le {color} {preposition} {letter} {digit} {adverb},{noun} {moves} {place},"
    "mon {person} {likes} {noun},{number} {nouns} et {digit} de plus,tu vois {noun} {place}?,"
    "{adverb} il nous faut {number} {nouns},pourquoi {noun} est si {adjective}?,le numéro est {number} {number}",
    verb="pose,mets,porte,prends,bouge,peins",
    color="bleu,vert,rouge,blanc,brun,mauve,jaune",
    preposition="à,sur,dans,avec,sous,devant",
    letter="A,B,C,D,E,F,G,H,I,J,K,L,M,N,O,P,Q,R,S,T,U,V,X,Z",
    digit="zéro,deux,trois,quatre,cinq,six,sept,huit,neuf",
    adverb="encore,bientôt,maintenant,peut-être,demain",
    adjective="calme,pauvre,jeune,rapide,drôle,fragile,propre,sombre",
    noun="le bateau,la fenêtre,le poisson,la montagne,le vélo,la pomme,le livre,la lampe,le chapeau,la boîte",
    nouns="pommes,livres,oiseaux,bougies,lampes,poupées,bateaux,feuilles,nuages",
    person="père,frère,oncle,ami,voisin,bébé",
    moves="tombe,bouge un peu,passe vite,reste là,flotte,a disparu",
    place="là-bas,derrière la maison,sous le pont,au bord de l'eau,dans le brouillard,sur la place",
    likes="aime,oublie,achète,veut,trouve,ouvre",
)

SPANISH = _words(
    patterns="{verb} el {color} {preposition} {letter} {digit} {adverb},{noun} {moves} {place},"
    "mi {person} {likes} {noun},{number} {nouns} y {digit} más,¿ves {noun} {place}?,"
    "{adverb} nos faltan {number} {nouns},¿por qué {noun} es tan {adjective}?,el número es {number} {number}",
    verb="pon,mueve,lleva,pinta,busca,baja",
    color="azul,verde,rojo,blanco,marrón,morado,amarillo",
    preposition="a,en,con,sobre,bajo,por",
    letter="A,B,C,D,E,F,G,H,I,J,K,L,M,N,O,P,Q,R,S,T,U,V,X,Z",
    digit="cero,dos,tres,cuatro,cinco,seis,siete,ocho,nueve",
    adverb="ahora,pronto,después,quizás,mañana",
    adjective="grande,pobre,verde,suave,amable,fuerte,feliz",
    noun="el barco,la ventana,el pez,la montaña,el libro,la lámpara,la bicicleta,el mapa,la manzana,el pueblo",
    nouns="manzanas,libros,barcos,pájaros,nubes,lámparas,zapatos,peces",
    person="padre,madre,hermano,tío,amigo,vecino",
    moves="se mueve,cae,pasa volando,sube poco a poco,ha desaparecido",
    place="allí arriba,detrás de la casa,bajo el puente,en la plaza,cerca del mar",
    likes="quiere,olvida,compra,busca,encuentra,abre",
)

ITALIAN = _words(
    patterns="{verb} il {color} {preposition} {letter} {digit} {adverb},{noun} {moves} {place},"
    "mio {person} {likes} {noun},{number} {nouns} e {digit} in più,vedi {noun} {place}?,"
    "{adverb} ci servono {number} {nouns},perché {noun} è così {adjective}?,il numero è {number} {number}",
    verb="metti,porta,muovi,prendi,posa,cambia",
    color="blu,verde,rosso,bianco,bruno,viola,giallo",
    preposition="a,su,con,in,per",
    letter="A,B,C,D,E,F,G,H,I,L,M,N,O,P,Q,R,S,T,U,V,Z",
    digit="zero,due,tre,quattro,cinque,sei,sette,otto,nove",
    adverb="adesso,presto,domani,forse,ancora",
    adjective="grande,felice,veloce,fragile,forte,dolce",
    noun="la barca,la finestra,il pesce,la montagna,il libro,la lampada,la bicicletta,il fiume,la mela,il bambino",
    nouns="mele,libri,barche,uccelli,nuvole,lampade,scarpe,pesci",
    person="padre,fratello,zio,amico,vicino",
    moves="si muove,cade,passa piano,sale poco a poco,è sparito",
    place="lassù,dietro la casa,sotto il ponte,in piazza,vicino al mare",
    likes="ama,dimentica,compra,cerca,trova,apre",
)

LANGUAGES: Mapping[str, tuple[tuple[str, ...], Slots]] = {
    "en": (("en-us", "en-gb-x-rp", "en-gb-scotland"), ENGLISH),
    "de": (("de",), GERMAN),
    "fr": (("fr", "fr-be", "fr-ch"), FRENCH),
    "es": (("es", "es-419"), SPANISH),
    "it": (("it",), ITALIAN),
}
"""For each language the voices of espeak-ng that speak it, and the words."""


def write_sentence(chance: np.random.Generator, language: str) -> str:
    """A random sentence; grammatical more often than sensible.

    Raises:
        CorpusError: no words of that language.
    """
    if language not in LANGUAGES:
        raise CorpusError("synthetic speech", f"a language out of {', '.join(LANGUAGES)}", repr(language)[:40])
    slots = LANGUAGES[language][1]
    pieces = str(chance.choice(slots["patterns"])).replace("}", "{").split("{")
    for k in range(1, len(pieces), 2):
        digits = int(chance.integers(1, 5))
        number = str(int(chance.integers(10**digits)))
        pieces[k] = number if pieces[k] == "number" else str(chance.choice(slots[pieces[k]]))
    sentence = "".join(pieces)
    return sentence if sentence.endswith("?") else f"{sentence}."
